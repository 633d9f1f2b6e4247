"""`python -m testbed.sandbox.deployment.engine FOLDER`: MiniStack until SIGTERM, inside the sandbox.

`testbed.sandbox.deployment.ministack` starts it. FOLDER holds the compiled dependencies of the Lambda for this machine,
and is empty where the bundle runs as it is.
"""

import sys
from pathlib import Path

from ministack.app import main

from testbed.sandbox.deployment.engine import conditions, executor, handlers, responses
from testbed.sandbox.world import World

if __name__ == "__main__":
    world, native = World.current(), sys.argv.pop()
    conditions.register(world)
    handlers.register(world)
    executor.register(world, Path(native) if native else None)
    responses.register()
    main()
