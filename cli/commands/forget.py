"""`frontdoor forget`: have every pod refuse an image."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError

from cli.account.clients import client, session
from cli.account.invocation import WATCHER, failure, function_of, invoke
from cli.doctor.aws_calls import error_text
from cli.exit_status import WRONG
from cli.options import CONFIG, Config, Json, Profile
from cli.settings_file import read
from cli.terminal import console
from lambda_fn.contract.errors import SettingsError
from lambda_fn.contract.hints import Image
from lambda_fn.job.watcher_event import image_named
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
    named = [image_named(name.removeprefix(f"{settings.domain}/"), settings.registries) for name in images]
    event = {"remember" if undo else "forget": [f"{image.repository}@{image.digest}" for image in named]}
    aws = session(profile, settings.cluster.region)
    try:
        stack = stack_name(settings)
        name = function_of(client(aws, "cloudformation", timeout_seconds=10), stack=stack, output=WATCHER)
        function = client(aws, "lambda", timeout_seconds=_LONGEST_RUN_SECONDS, attempts=1)
        with console(sys.stderr).status(f"waiting for {name}"):
            returned, has_failed = invoke(function, name, event)
    except (BotoCoreError, ClientError) as error:
        typer.echo(f"frontdoor: AWS refused or did not answer: {error_text(error)}", err=True)
        raise typer.Exit(WRONG) from error
    if as_json:
        typer.echo(json.dumps(returned, indent=2))
    elif has_failed:
        typer.echo(failure(returned), err=True)
    else:
        for line in _undone(named, returned) if undo else _done(named, returned):
            typer.echo(line)
    if has_failed:
        raise typer.Exit(WRONG)


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
