"""The CDK command line, as an operator runs it, with the operator's keys of the sandbox's AWS."""

import json
import os
import warnings
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from sandbox.commands import run
from sandbox.deployment.stand_in import Adapted, adapt
from sandbox.world import World

ROOT = Path(__file__).parent.parent.parent
STACK = "EcrFrontdoor"
_QUIET = ("--no-notices", "--ci")


def bootstrap(world: World) -> None:
    """Make the toolkit's stack: the bucket of assets and the roles of a deployment."""
    _cdk(world, "bootstrap", f"aws://{world.account}/{world.region}")


def synthesize(world: World, config: Path, folder: Path) -> Adapted:
    """Synthesize the real app into `folder`, and alter the template in it for moto.

    Raises:
        SandboxError: Synthesis failed, or the template has something that nothing stands in for.
    """
    _cdk(world, "synth", "--quiet", "-c", f"config={config}", "--output", str(folder))
    path = folder / f"{STACK}.template.json"
    adapted = adapt(json.loads(path.read_text()), _moto_knows)
    path.write_text(json.dumps(adapted.template))
    return adapted


def deploy(world: World, folder: Path) -> None:
    """Upload the assets and deploy the template of a synthesis."""
    _cdk(world, "deploy", STACK, "--app", str(folder), "--require-approval=never", "--method=direct")


def operator(world: World) -> Mapping[str, str]:
    """The environment of somebody who holds the operator's keys."""
    return {
        **os.environ,
        "AWS_SHARED_CREDENTIALS_FILE": str(world.cloud / "credentials"),
        "AWS_REGION": world.region,
        "AWS_DEFAULT_REGION": world.region,
        "CDK_DISABLE_CLI_TELEMETRY": "true",
    }


def _cdk(world: World, *words: str) -> None:
    run((str(ROOT / "node_modules" / ".bin" / "cdk"), *words, *_QUIET), environment=operator(world), directory=ROOT)


@cache
def _moto_knows(kind: str) -> bool:
    # Late: moto's models take seconds to import.
    from moto.cloudformation.parsing import resource_class_from_type  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return resource_class_from_type(kind) is not None
