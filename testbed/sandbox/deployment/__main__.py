"""`python -m testbed.sandbox.deployment`: the whole lifecycle of a deployment, in a sandbox of its own."""

import argparse
import sys
from pathlib import Path

from testbed.sandbox import inside
from testbed.sandbox.deployment import ministack, native, reference_story
from testbed.sandbox.deployment.operator import Operator
from testbed.sandbox.deployment.reference_story import References
from testbed.sandbox.deployment.story import STEPS, Story
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.progress import say, step
from testbed.sandbox.story import run_story
from testbed.sandbox.world import World

STATE = Path("/var/lib/ecr-frontdoor-deploy-local")


def main() -> int:
    """Run the story; 0 only if every step succeeded."""
    names = [step.__name__ for step in (*STEPS, *reference_story.STEPS)]
    parser = argparse.ArgumentParser(
        prog="python -m testbed.sandbox.deployment",
        description="Deploy, update, roll back and destroy the app in a sandbox of its own, which is removed "
        "afterwards; needs root on Linux. testbed/docs/testing.md says what stands in for AWS.",
    )
    parser.add_argument("--only", metavar="STEP", nargs="+", choices=names, help="run only these, after the first")
    parser.add_argument("--state", type=Path, default=STATE, help="another state folder than %(default)s")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        world = World.current()
        wanted = ("bootstrapped", *(arguments.only or names))
        steps = [step for step in STEPS if step.__name__ in wanted]
        references = [step for step in reference_story.STEPS if step.__name__ in wanted]
        user = Story(world, world.run / "frontdoor.toml", operator=Operator(world))
        with ministack.running(world):
            return run_story(user, steps) or run_story(References(world), references)
    world = World(state=arguments.state)
    try:
        with step("making the Lambda's bundle, and installing MiniStack"):
            native.prepare(world)
            ministack.prepare(world)
        return inside.run(world, [sys.executable, "-m", "testbed.sandbox.deployment", "--inside", *sys.argv[1:]])
    except SandboxError as error:
        say(f"sandbox: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
