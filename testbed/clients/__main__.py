"""Obtains the clients: `python -m testbed.clients`. Tests use them inside the sandbox."""

import argparse
import sys

from testbed.clients import renovate
from testbed.clients.installation import install
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.lock import lock
from testbed.sandbox.progress import say
from testbed.sandbox.setup import require_this_machine
from testbed.sandbox.world import World


def main() -> int:
    """Obtain what is missing; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m testbed.clients", description="Obtain real clients, once.")
    parser.add_argument("--renovate", action="store_true", help="also Renovate, 364 MB, which only long tests run")
    options = parser.parse_args()
    cache = World().cache
    try:
        require_this_machine()
        with lock(cache):
            install(cache)
            if options.renovate:
                renovate.install(cache)
    except SandboxError as error:
        say(f"clients: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
