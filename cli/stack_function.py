"""Invokes a function of the stack, whose name the stack's outputs give, and prints what it returned."""

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import typer
from botocore.exceptions import BotoCoreError, ClientError

from cli.account.clients import client, session
from cli.doctor.aws_calls import refusal_text
from cli.exit_status import WRONG
from cli.terminal import console
from lambda_fn.contract.errors import SettingsError

REFRESHER, WATCHER = "FunctionName", "WatcherName"
"""The stack's outputs that name the Lambda and the watcher."""


@dataclass(frozen=True, slots=True)
class StackFunction:
    """A function of a deployed stack.

    Attributes:
        stack: The stack's name.
        output: The stack's output with the function's name.
        timeout_seconds: How long to wait for its answer.
    """

    stack: str
    output: str
    timeout_seconds: float

    def invoke(self, event: object, *, profile: str | None, region: str) -> tuple[dict[str, Any], bool]:
        """What the function returned, and whether it failed.

        https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html

        Raises:
            SettingsError: There is no such profile or stack, or the stack has no such function.
            Exit: AWS refused or did not answer; that is printed.
        """
        aws = session(profile, region)
        try:
            name = self._name(client(aws, "cloudformation", timeout_seconds=10))
            function = client(aws, "lambda", timeout_seconds=self.timeout_seconds, attempts=1)
            with console(sys.stderr).status(f"waiting for {name}"):
                answer = function.invoke(FunctionName=name, Payload=json.dumps(event).encode())
                returned: dict[str, Any] = json.loads(answer["Payload"].read() or b"{}") or {}
        except (BotoCoreError, ClientError) as error:
            typer.echo(f"frontdoor: {refusal_text(error)}", err=True)
            raise typer.Exit(WRONG) from error
        return returned, "FunctionError" in answer

    def _name(self, cloudformation: Any) -> str:  # noqa: ANN401 - boto3's clients are made at run time
        try:
            (found,) = cloudformation.describe_stacks(StackName=self.stack)["Stacks"]
        except ClientError as error:
            if "does not exist" not in error.response["Error"]["Message"]:
                raise
            region = cloudformation.meta.region_name
            raise SettingsError(
                f"stack {self.stack} does not exist in {region}. Fix: deploy, or use --config or --profile"
            ) from error
        for each in found.get("Outputs", []):
            if each["OutputKey"] == self.output:
                return str(each["OutputValue"])
        raise SettingsError(
            f"stack {self.stack} is {found['StackStatus']} and has no output {self.output}. Fix: deploy"
        )


def show(
    returned: dict[str, Any],
    lines: Callable[[dict[str, Any]], Iterable[str]],
    *,
    has_failed: bool,
    as_json: bool,
) -> None:
    """Print what a function returned: as JSON, or its error, or its `lines`.

    Raises:
        Exit: The function failed.
    """
    if as_json:
        typer.echo(json.dumps(returned, indent=2))
    elif has_failed:
        message = returned.get("errorMessage", "the function ended without a message; its log has more")
        typer.echo(f"frontdoor: {returned.get('errorType', 'error')}: {message}", err=True)
    else:
        for line in lines(returned):
            typer.echo(line)
    if has_failed:
        raise typer.Exit(WRONG)
