"""The doctor, as an operator runs it from a laptop: a role with the rights that docs/operations.md requires."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from cli.doctor.finding import Finding, Verdict
from testbed.sandbox import operators
from testbed.sandbox.deployment import entries, functions
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.world import World

CHECKS = {
    "aws", "stack", "function", "iam", "access-entry", "schedule", "dead-letter-queue", "alarms", "cluster", "objects",
    "field-managers", "credential", "configuration", "pods", "dns", "tls", "registry", "pull",
}  # fmt: skip
"""What the doctor looks at of a front door like the one that is deployed."""

_SECONDS = 120


def examine(world: World, checkout: Path, config: Path, image: str) -> list[Finding]:
    """Run `python -m cli.doctor` of a checkout with a settings file and an image to pull.

    Raises:
        SandboxError: It did not start, or crashed.
    """
    arn = operators.grant(world)
    try:
        entries.wait_until_known(world, arn)
        return _run(checkout, config, image, functions.role_environment(world, arn))
    finally:
        operators.revoke(world)


def _run(checkout: Path, config: Path, image: str, credentials: Mapping[str, str]) -> list[Finding]:
    command = (sys.executable, "-m", "cli.doctor", "--config", config, "--image", image, "--json")
    done = subprocess.run(
        command,
        cwd=checkout,
        env={**os.environ, **credentials},
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    try:
        return [Finding(**{**one, "verdict": Verdict(one["verdict"])}) for one in json.loads(done.stdout)]
    except ValueError as error:
        raise SandboxError(f"the doctor ended with status {done.returncode}:\n{done.stdout}{done.stderr}") from error
