"""PID 1 of the sandbox: isolates itself, starts the parts in order, then reaps processes. Its end ends the sandbox.

Reports to standard output, one JSON object a line, until everything is up: {"part"}, then {"up": true} or {"error"}.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from testbed.sandbox import control_plane, image, node
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.init_process import InitProcess
from testbed.sandbox.isolation import isolate
from testbed.sandbox.processes import Part, Processes
from testbed.sandbox.world import World

START_SECONDS = 90


def main() -> None:
    """Bring the sandbox up and keep it running."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--tools", type=Path, required=True)
    parser.add_argument("--without-kubernetes", action="store_true")
    arguments = parser.parse_args()
    world = World(state=arguments.state, cache=arguments.cache)
    # /proc is still the host's: this records the pid as seen from outside.
    InitProcess.of(Path("/proc/self").resolve()).record(world)
    processes = Processes(world.logs)
    try:
        stages = _cloud(world) if arguments.without_kubernetes else _everything(world, arguments.tools)
        _bring_up(world, stages, processes)
    except SandboxError as error:
        _report(error=str(error))
        sys.exit(1)
    _report(up=True)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for sentence in processes.reap():
        print(sentence, flush=True)


def _bring_up(world: World, stages: Iterable[Sequence[Part]], processes: Processes) -> None:
    isolate(world)
    for stage in stages:
        for part in stage:
            processes.start(part)
        for part in stage:
            _report(part=part.name)
            processes.wait_until_ready(part, START_SECONDS)
            if part.name == "containerd":
                image.load_pause_image(world)


def _cloud(world: World) -> Iterator[Sequence[Part]]:
    """What nginx without a cluster needs: the names and the double of AWS."""
    yield (control_plane.dns(world), control_plane.cloud(world))


def _everything(world: World, tools: Path) -> Iterator[Sequence[Part]]:
    """Parts that can start at the same time, in the order in which they need each other."""
    yield (
        control_plane.dns(world),
        control_plane.cloud(world),
        control_plane.etcd(world, tools),
        control_plane.authenticator(world, tools),
        node.containerd(world),
    )
    yield (control_plane.api_server(world, tools),)
    yield (*control_plane.controllers(world, tools), *node.parts(world, tools))


def _report(**message: object) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main()
