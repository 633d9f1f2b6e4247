"""The CDK command line, as an operator runs it, with the operator's keys of the sandbox's AWS."""

import os
from collections.abc import Mapping
from pathlib import Path

from testbed.sandbox.commands import run
from testbed.sandbox.world import World

ROOT = Path(__file__).parents[3]
_QUIET = ("--no-notices", "--ci")


def bootstrap(world: World) -> None:
    """Make the toolkit's stack: the bucket of assets and the roles of a deployment."""
    _cdk(world, "bootstrap", f"aws://{world.account}/{world.region}")


def deploy(world: World, config: Path, checkout: Path = ROOT) -> None:
    """Synthesize the real app, of this checkout or another, with these settings, and deploy it.

    Raises:
        SandboxError: It failed; the message ends with CDK's and CloudFormation's reason.
    """
    _cdk(world, "deploy", *_settings(world, config), "--require-approval=never", checkout=checkout)


def destroy(world: World, config: Path, checkout: Path = ROOT) -> None:
    """Delete the stack of these settings.

    Raises:
        SandboxError: It failed.
    """
    _cdk(world, "destroy", *_settings(world, config), "--force", checkout=checkout)


def operator(world: World) -> Mapping[str, str]:
    """The environment with the operator's keys."""
    return {
        **os.environ,
        "AWS_SHARED_CREDENTIALS_FILE": str(world.cloud / "credentials"),
        "AWS_REGION": world.region,
        "AWS_DEFAULT_REGION": world.region,
        "CDK_DISABLE_CLI_TELEMETRY": "true",
    }


def _settings(world: World, config: Path) -> tuple[str, ...]:
    return ("-c", f"config={config}", "--output", str(world.run / "cdk.out"))


def _cdk(world: World, *words: str, checkout: Path = ROOT) -> None:
    run((str(ROOT / "node_modules" / ".bin" / "cdk"), *words, *_QUIET), environment=operator(world), directory=checkout)
