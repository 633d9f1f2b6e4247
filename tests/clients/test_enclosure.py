"""A client leaves nothing behind, however the test that started it ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from testbed.clients.docker import Docker
from testbed.sandbox.processes import serves
from testbed.sandbox.world import World
from testbed.waiting import wait_until

STARTS_DOCKER = """
import time
from testbed.clients.docker import Docker
from testbed.sandbox.world import World
with Docker.running(World.current()) as docker:
    print(docker.enclosure.folder, flush=True)
    time.sleep(60)
"""


def test_a_client_that_ends_leaves_no_process_no_mount_and_no_file(world: World) -> None:
    with Docker.running(world) as docker:
        folder = docker.enclosure.folder
        assert processes(folder)
    assert processes(folder) == []
    assert str(folder) not in Path("/proc/self/mountinfo").read_text("utf-8")
    assert not folder.exists()


def test_a_daemon_ends_with_the_process_that_started_it_even_after_sigkill(world: World) -> None:
    command = (sys.executable, "-c", STARTS_DOCKER)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as started:  # noqa: S603 - our own program
        assert started.stdout
        folder = Path(started.stdout.readline().strip())
        assert folder.is_relative_to(world.run)
        assert serves(folder / Docker.socket)()
        os.kill(started.pid, signal.SIGKILL)
    wait_until(lambda: not processes(folder), "docker and what it has started end")


def processes(folder: Path) -> list[str]:
    """The processes that see a client's folder as their own."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            mounts = (process / "mountinfo").read_text("utf-8")
        except OSError:
            continue
        if f"/{folder.name} /client " in mounts:
            found.append(process.name)
    return found
