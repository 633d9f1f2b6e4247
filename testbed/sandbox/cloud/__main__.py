"""`python -m testbed.sandbox.cloud --state DIR`: the double, in the foreground, until SIGTERM."""

import argparse
import asyncio
import sys
from pathlib import Path

from testbed.sandbox.cloud.run import run
from testbed.sandbox.world import World


def main() -> int:
    """Serve; returns 1 when a part cannot start or ends unexpectedly."""
    parser = argparse.ArgumentParser(prog="python -m testbed.sandbox.cloud", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, metavar="DIR", help="the sandbox's state folder")
    world = World(state=parser.parse_args().state.resolve())
    try:
        asyncio.run(run(world))
    except (RuntimeError, OSError) as error:
        print(f"testbed.sandbox.cloud: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
