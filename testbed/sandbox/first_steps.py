"""`python -m testbed.sandbox.first_steps`: from a bare clone to a synthesized stack, as a new operator goes, timed.

Clone, installation and the download of the Lambda's dependencies begin with empty caches (npm's aside). `frontdoor
init`, `check` and the synthesis then run in the sandbox, against its AWS: there they have no other network.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from testbed.sandbox import inside, installation
from testbed.sandbox.commands import run
from testbed.sandbox.deployment.cdk import ROOT, operator
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.progress import say
from testbed.sandbox.terminal import Session, answer
from testbed.sandbox.world import World

STATE = Path("/var/lib/ecr-frontdoor-first-steps")
OTHER_CLUSTER = "blue"
"""A second one, so that the cluster has to be asked for."""
ALLOWED_SECONDS, ALLOWED_QUESTIONS = 300.0, 3
_BUNDLE = "from stacks.bundling import bundle; bundle()"


@dataclass
class Clock:
    """How long each step took, in seconds."""

    steps: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step, and say it."""
        started_at = time.monotonic()
        yield
        self.steps[name] = time.monotonic() - started_at
        say(f"{self.steps[name]:6.1f} s  {name}")


def furnish(world: World) -> None:
    """What the operator's account has beside the cluster: another cluster, repositories, and a bootstrap."""
    add_cluster(world)
    installation.push_images(world)
    ssm = installation.session(world, "default").client("ssm")
    ssm.put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String", Overwrite=True)


def add_cluster(world: World) -> None:
    """Another cluster."""
    eks = installation.session(world, "default").client("eks")
    if OTHER_CLUSTER not in eks.list_clusters()["clusters"]:
        role = f"arn:aws:iam::{world.account}:role/cluster"
        eks.create_cluster(name=OTHER_CLUSTER, roleArn=role, resourcesVpcConfig={})


def initialize(
    world: World, config: Path, frontdoor: tuple[str | Path, ...], checkout: Path, kind: str = "service"
) -> Session:
    """`frontdoor init` of a checkout, at a terminal.

    Args:
        world: The sandbox.
        config: The file that it writes: none, or the sample of a clone.
        frontdoor: The command.
        checkout: Where it runs.
        kind: How clients reach the proxy.

    Raises:
        SandboxError: It failed.
    """
    answers = {"host name": world.domain, "EKS cluster": world.cluster, "without a login": "frontdoor/*, team/*"}
    words = (*frontdoor, "init", "--config", config, "--exposure", kind)
    done = answer(words, answers, environment=operator(world), directory=checkout)
    if done.status:
        raise SandboxError(f"frontdoor init ended with status {done.status}:\n{done.text}")
    return done


def main() -> int:
    """Take the steps; 0 only if they needed no more time and questions than allowed."""
    parser = argparse.ArgumentParser(prog="python -m testbed.sandbox.first_steps", description=__doc__)
    parser.add_argument("--state", type=Path, default=STATE, help="another state folder than %(default)s")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    try:
        return _inside(arguments.inside) if arguments.inside else _outside(World(state=arguments.state))
    except SandboxError as error:
        say(f"sandbox: {error}")
        return 1


def _outside(world: World) -> int:
    folder = Path(tempfile.mkdtemp(prefix="first-steps-"))
    checkout, clock = folder / "ecr-frontdoor", Clock()
    environment = _new_user(folder)
    try:
        with clock.step("git clone"):
            run(("git", "clone", "--quiet", ROOT, checkout))
        with clock.step("make install"):
            run(("make", "--silent", "install"), environment=environment, directory=checkout)
        with clock.step("download of the Lambda's dependencies, by the first synthesis"):
            run((checkout / ".venv/bin/python", "-c", _BUNDLE), environment=environment, directory=checkout)
        words = [sys.executable, "-m", "testbed.sandbox.first_steps", "--inside", str(checkout)]
        before = sum(clock.steps.values())
        os.environ["FIRST_STEPS_SECONDS"], os.environ["XDG_CACHE_HOME"] = str(before), environment["XDG_CACHE_HOME"]
        return inside.run(world, words, kubernetes=False)
    finally:
        shutil.rmtree(folder)


def _inside(checkout: Path) -> int:
    world, clock = World.current(), Clock()
    furnish(world)
    config = checkout / "frontdoor.toml"
    frontdoor = (checkout / ".venv/bin/frontdoor",)
    environment = {**operator(world), "PATH": os.pathsep.join((str(checkout / ".venv/bin"), _foreign_path()))}
    with clock.step("frontdoor init"):
        session = initialize(world, config, frontdoor, checkout)
    with clock.step("frontdoor check"):
        run((*frontdoor, "check", "--timeout", "2"), environment=environment, directory=checkout)
    with clock.step("make synth"):
        run(("make", "--silent", "synth"), environment=environment, directory=checkout)
    seconds = float(os.environ["FIRST_STEPS_SECONDS"]) + sum(clock.steps.values())
    (template,) = (checkout / "cdk.out").glob("*.template.json")
    say(f"{seconds:.0f} s and {len(session.questions)} questions to {template.name}")
    return 0 if seconds <= ALLOWED_SECONDS and len(session.questions) <= ALLOWED_QUESTIONS else 1


def _new_user(folder: Path) -> Mapping[str, str]:
    """The environment of an operator with empty caches and no environment of Python."""
    kept = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PARTS_READY"}}
    return {**kept, "XDG_CACHE_HOME": str(folder / "cache"), "PATH": _foreign_path()}


def _foreign_path() -> str:
    """The PATH without what this checkout has installed."""
    return os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if not part.startswith(str(ROOT)))


if __name__ == "__main__":
    sys.exit(main())
