"""`frontdoor forget`: have every pod refuse an image."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Annotated, Any

import typer

from cli.account.clients import session
from cli.account.indexes import read as read_indexes
from cli.options import CONFIG, Config, Json, Profile
from cli.settings_file import read
from cli.stack_function import WATCHER, StackFunction, show
from lambda_fn.contract.errors import SettingsError
from lambda_fn.contract.hints import Image
from lambda_fn.job.watcher_event import image_named
from lambda_fn.settings.registry import EcrRegistry, Registry
from lambda_fn.settings.routing import Routing
from stacks.stack_name import stack_name

_LONGEST_RUN_SECONDS = 100
"""Longer than the watcher's time-out."""


def forget(
    images: Annotated[list[str], typer.Argument(metavar="REPOSITORY@DIGEST...", help="As clients pull them.")],
    *,
    undo: Annotated[bool, typer.Option("--undo", help="Let the pods serve these images again.")] = False,
    config: Config = CONFIG,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Have every pod refuse an image and remove its files.

    Within two minutes no client gets the image any more, whatever ECR has, and its files leave the caches. A push does
    not lift that, and neither does time: --undo does. With an index go the manifests that it names, where ECR still has
    it. Layers are not refused: delete the image in ECR, too. Your AWS identity needs lambda:InvokeFunction,
    cloudformation:DescribeStacks and ecr:BatchGetImage.

    The exit status is 1 when nothing was changed.
    """
    settings = read(config)
    if not settings.watcher.deletions:
        raise SettingsError("watcher.deletions = false: the pods refuse no image. Fix: set it to true, and deploy")
    names, routing = [name.removeprefix(f"{settings.domain}/") for name in images], Routing(settings.registries)
    for name in names:
        if "@" not in name:
            raise SettingsError(f"{name} has no digest. Fix: crane digest {settings.domain}/{name} prints it")
    named = {image_named(name, routing): name for name in names}
    indexes = read_indexes(session(profile, settings.cluster.region), [*named])
    for index, manifests in indexes.manifests.items():
        repository = _repository(named[index])
        named |= {each: f"{repository}@{each.digest}" for each in manifests if each not in named}
    event = {"remember" if undo else "forget": [*named.values()]}
    function = StackFunction(stack_name(settings), WATCHER, _LONGEST_RUN_SECONDS)
    returned, has_failed = function.invoke(event, profile=profile, region=settings.cluster.region)
    returned |= {} if has_failed else indexes.to_json()
    served = {image: routing.find(_repository(name)) for image, name in named.items()}
    registries = {image: found.registry for image, found in served.items() if found}
    show(returned, partial(_undone if undo else _done, registries), has_failed=has_failed, as_json=as_json)


def _repository(name: str) -> str:
    return name.partition("@")[0]


def _done(named: Mapping[Image, Registry], returned: Mapping[str, Any]) -> Iterator[str]:
    for image in named:
        yield f"refused by every pod within two minutes: {image}"
    yield from _of_indexes(returned)
    for image, registry in named.items():
        if str(image) in returned["in_ecr"]:
            yield f"ECR may still have it: delete it there, too: {_deletion(image, registry)}"
        else:
            yield f"ECR does not have it, or no longer: check the digest: {image}"
        # No pull of a mirror fails over: pods do not ask its replica.
        for replica in () if registry.pull_through else registry.replicas:
            yield f"ECR does not replicate deletions: delete it in the replica, too: {_deletion(image, replica)}"


def _deletion(image: Image, registry: EcrRegistry) -> str:
    return (
        f"aws ecr batch-delete-image --region {registry.region} --registry-id {registry.account} "
        f"--repository-name {image.repository} --image-ids imageDigest={image.digest}"
    )


def _undone(named: Iterable[Image], returned: Mapping[str, Any]) -> Iterator[str]:
    for image in named:
        lifted = str(image) in returned["remembered"]
        yield f"{'served again within two minutes' if lifted else 'was not refused'}: {image}"
    yield from _of_indexes(returned)


def _of_indexes(returned: Mapping[str, Any]) -> Iterator[str]:
    for index, manifests in returned["indexes"].items():
        yield f"{len(manifests)} of these are named by the index {index}"
    for image, reason in returned["not_read"].items():
        yield f"if it is an index, name its manifests, too, since ECR did not give it: {image}: {reason}"
