"""`python -m testbed.sandbox.deployment`: the whole lifecycle of a deployment, in a sandbox of its own."""

import argparse
import sys
from pathlib import Path

from testbed.sandbox import inside
from testbed.sandbox.deployment import native
from testbed.sandbox.deployment.operator import Operator
from testbed.sandbox.deployment.story import STEPS, Story
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.progress import say, step
from testbed.sandbox.story import run_story
from testbed.sandbox.world import World

STATE = Path("/var/lib/ecr-frontdoor-deploy-local")


def main() -> int:
    """Run the story; 0 only if every step succeeded."""
    parser = argparse.ArgumentParser(
        prog="python -m testbed.sandbox.deployment",
        description=f"Deploy, update, roll back and destroy the app in a sandbox of its own, {STATE}, which is removed "
        "afterwards; needs root on Linux. testbed/docs/testing.md says what stands in for AWS.",
    )
    parser.add_argument("where", nargs="?", choices=["inside"], help=argparse.SUPPRESS)
    if parser.parse_args().where == "inside":
        world = World.current()
        return run_story(Story(world, Operator(world)), STEPS)
    world = World(state=STATE)
    try:
        with step("making the Lambda's bundle"):
            native.prepare(world)
        return inside.run(world, [sys.executable, "-m", "testbed.sandbox.deployment", "inside"])
    except SandboxError as error:
        say(f"sandbox: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
