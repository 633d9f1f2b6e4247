"""The command line, as an operator runs it from a laptop: a role with the rights that docs/operations.md requires."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cli.doctor.finding import Finding, Verdict
from testbed.sandbox import operators
from testbed.sandbox.deployment import entries, functions
from testbed.sandbox.deployment.cdk import ROOT
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.story import expect
from testbed.sandbox.world import World

CHECKS = {
    "aws", "stack", "function", "iam", "access-entry", "schedule", "watcher", "dead-letter-queue", "alarms", "cluster",
    "objects", "field-managers", "credential", "configuration", "pods", "dns", "tls", "registry", "pull",
}  # fmt: skip
"""What the doctor looks at of a front door like the one that is deployed."""

_SECONDS = 120


def examine(world: World, checkout: Path, config: Path, image: str) -> list[Finding]:
    """Run `frontdoor doctor` of a checkout with a settings file and an image to pull.

    Raises:
        SandboxError: It did not start, or crashed.
    """
    return _as_operator(world, checkout, "doctor", "--config", str(config), "--image", image)


def checked(world: World, config: Path) -> list[Finding]:
    """Run `frontdoor check` of this checkout.

    Raises:
        SandboxError: It did not start, or crashed.
    """
    return _as_operator(world, ROOT, "check", "--config", str(config), "--timeout", "2")


def removed(world: World, checkout: Path, config: Path) -> list[str]:
    """The findings of `frontdoor doctor --removed`, which is the end of `make destroy`.

    Raises:
        SandboxError: It did not start, or `make destroy` would fail: something of the front door is still there, or
            was not read.
    """
    found = _as_operator(world, checkout, "doctor", "--removed", "--config", str(config))
    failed = [one.line for one in found if one.verdict in {Verdict.FAILED, Verdict.WARNING}]
    expect(found and not failed, f"the doctor reports {failed}")
    return [one.line for one in found]


@contextmanager
def signed_in(world: World) -> Iterator[Mapping[str, str]]:
    """The operator's environment, with credentials that the cluster accepts until the block ends.

    Raises:
        SandboxError: The cluster does not accept them.
    """
    arn = operators.grant(world)
    try:
        entries.wait_until_known(world, arn)
        yield {**os.environ, **functions.role_environment(world, arn)}
    finally:
        operators.revoke(world)


def _as_operator(world: World, checkout: Path, *words: str) -> list[Finding]:
    with signed_in(world) as environment:
        return _run(checkout, words, environment)


def _run(checkout: Path, words: tuple[str, ...], environment: Mapping[str, str]) -> list[Finding]:
    command = (sys.executable, "-m", "cli.command", *words, "--json")
    done = subprocess.run(
        command,
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    try:
        return [Finding(**{**one, "verdict": Verdict(one["verdict"])}) for one in json.loads(done.stdout)]
    except ValueError as error:
        raise SandboxError(
            f"frontdoor {words[0]} ended with status {done.returncode}:\n{done.stdout}{done.stderr}"
        ) from error
