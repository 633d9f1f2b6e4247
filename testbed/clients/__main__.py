"""Obtains the clients: `python -m testbed.clients`. Tests use them inside the sandbox."""

import sys

from testbed.clients.installation import install
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.lock import lock
from testbed.sandbox.progress import say
from testbed.sandbox.setup import require_this_machine
from testbed.sandbox.world import World


def main() -> int:
    """Obtain what is missing; returns the exit status."""
    cache = World().cache
    try:
        require_this_machine()
        with lock(cache):
            install(cache)
    except SandboxError as error:
        say(f"clients: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
