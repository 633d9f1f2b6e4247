"""The CDK command line, as an operator runs it, with the operator's keys of the sandbox's AWS."""

import json
import os
import warnings
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from testbed.sandbox.commands import run
from testbed.sandbox.deployment.emulation import Adapted, adapt
from testbed.sandbox.installation import session
from testbed.sandbox.world import World

ROOT = Path(__file__).parents[3]
STACK = "EcrFrontdoor"
_TOOLKIT = ("BootstrapVersion", "/cdk-bootstrap/hnb659fds/version")
"""The template's one parameter, with its default: moto's UpdateStack knows no previous value of one never given."""
_QUIET = ("--no-notices", "--ci")


def bootstrap(world: World) -> None:
    """Make the toolkit's stack: the bucket of assets and the roles of a deployment."""
    _cdk(world, "bootstrap", f"aws://{world.account}/{world.region}")


def synthesize(world: World, config: Path, folder: Path, checkout: Path = ROOT) -> Adapted:
    """Synthesize the real app, of this checkout or another, into `folder`, and alter the template in it for moto.

    Raises:
        SandboxError: Synthesis failed, or the template has a type that is neither known to moto nor emulated.
    """
    _cdk(world, "synth", "--quiet", "-c", f"config={config}", "--output", str(folder), checkout=checkout)
    path = folder / f"{STACK}.template.json"
    adapted = adapt(json.loads(path.read_text()), _moto_knows)
    path.write_text(json.dumps(adapted.template))
    return adapted


def deploy(world: World, folder: Path) -> None:
    """Upload the assets and deploy the template of a synthesis.

    Directly, for moto has no outputs of a stack that a change set made.
    """
    given = ("--parameters", "=".join(_TOOLKIT))
    _cdk(world, "deploy", STACK, "--app", str(folder), "--require-approval=never", "--method=direct", *given)


def destroy(world: World, folder: Path) -> None:
    """Delete the stack of a synthesis."""
    _cdk(world, "destroy", STACK, "--app", str(folder), "--force")


def put_back(world: World, stack: str, folder: Path) -> None:
    """Update the stack to the template of an earlier synthesis, as CloudFormation does without CDK."""
    session(world, "default").client("cloudformation").update_stack(
        StackName=stack,
        TemplateBody=(folder / f"{STACK}.template.json").read_text(),
        Parameters=[{"ParameterKey": _TOOLKIT[0], "ParameterValue": _TOOLKIT[1]}],
        Capabilities=["CAPABILITY_IAM"],
    )


def network(world: World) -> Mapping[str, object]:
    """Keys of `[cluster]` for its network: moto has a default VPC."""
    ec2 = session(world, "default").client("ec2")
    (vpc,) = (one["VpcId"] for one in ec2.describe_vpcs()["Vpcs"])
    (group,) = (one["GroupId"] for one in ec2.describe_security_groups()["SecurityGroups"])
    subnets = sorted(one["SubnetId"] for one in ec2.describe_subnets()["Subnets"])
    return {"vpc_id": vpc, "subnet_ids": subnets[:2], "security_group_id": group}


def operator(world: World) -> Mapping[str, str]:
    """The environment with the operator's keys."""
    return {
        **os.environ,
        "AWS_SHARED_CREDENTIALS_FILE": str(world.cloud / "credentials"),
        "AWS_REGION": world.region,
        "AWS_DEFAULT_REGION": world.region,
        "CDK_DISABLE_CLI_TELEMETRY": "true",
    }


def _cdk(world: World, *words: str, checkout: Path = ROOT) -> None:
    run((str(ROOT / "node_modules" / ".bin" / "cdk"), *words, *_QUIET), environment=operator(world), directory=checkout)


@cache
def _moto_knows(kind: str) -> bool:
    # Late: moto's models take seconds to import.
    from moto.cloudformation.parsing import resource_class_from_type  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return resource_class_from_type(kind) is not None
