"""`frontdoor forget`: have every pod refuse an image."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Annotated, Any

import typer

from cli.options import CONFIG, Config, Json, Profile
from cli.settings_file import read
from cli.stack_function import WATCHER, StackFunction, show
from lambda_fn.contract.errors import SettingsError
from lambda_fn.contract.hints import Image
from lambda_fn.job.watcher_event import image_named
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
    not lift that, and neither does time: --undo does. Name the digests of an index and of its platforms. Your AWS
    identity needs lambda:InvokeFunction and cloudformation:DescribeStacks.

    The exit status is 1 when nothing was changed.
    """
    settings = read(config)
    if not settings.watcher.deletions:
        raise SettingsError("watcher.deletions = false: the pods refuse no image. Fix: set it to true, and deploy")
    names, routing = [name.removeprefix(f"{settings.domain}/") for name in images], Routing(settings.registries)
    named = [image_named(name, routing) for name in names]
    event = {"remember" if undo else "forget": names}
    function = StackFunction(stack_name(settings), WATCHER, _LONGEST_RUN_SECONDS)
    returned, has_failed = function.invoke(event, profile=profile, region=settings.cluster.region)
    show(returned, partial(_undone if undo else _done, named), has_failed=has_failed, as_json=as_json)


def _done(named: Sequence[Image], returned: Mapping[str, Any]) -> Iterator[str]:
    for image in named:
        yield f"refused by every pod within two minutes: {image}"
    for image in named:
        if str(image) in returned["in_ecr"]:
            yield (
                f"ECR may still have it: delete it there, too: aws ecr batch-delete-image --repository-name "
                f"{image.repository} --image-ids imageDigest={image.digest}"
            )
        else:
            yield f"ECR does not have it, or no longer: check the digest: {image}"


def _undone(named: Sequence[Image], returned: Mapping[str, Any]) -> Iterator[str]:
    for image in named:
        lifted = str(image) in returned["remembered"]
        yield f"{'served again within two minutes' if lifted else 'was not refused'}: {image}"
