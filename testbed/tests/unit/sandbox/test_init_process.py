import dataclasses
import os
import subprocess
from pathlib import Path

import pytest

from testbed.sandbox.init_process import InitProcess
from testbed.sandbox.world import World

SLEEP = ("/bin/sleep", "60")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(state=tmp_path)


def test_a_recorded_process_is_recognised(world: World) -> None:
    myself = InitProcess.of(Path("/proc/self").resolve())

    myself.record(world)

    assert InitProcess.recorded(world) == myself
    assert myself.pid == os.getpid()
    assert myself.is_alive()


def test_nothing_is_recorded_in_an_empty_folder(world: World) -> None:
    assert InitProcess.recorded(world) is None


def test_end_ends_the_process() -> None:
    with subprocess.Popen(SLEEP) as process:  # noqa: S603 - a constant
        InitProcess.of(Path("/proc") / str(process.pid)).end()

        assert process.wait(timeout=5) < 0


def test_end_spares_another_process_that_has_got_the_pid_since() -> None:
    with subprocess.Popen(SLEEP) as process:  # noqa: S603 - a constant
        recorded = InitProcess.of(Path("/proc") / str(process.pid))
        earlier = dataclasses.replace(recorded, started_at_ticks=recorded.started_at_ticks - 1)

        earlier.end()

        assert not earlier.is_alive()
        assert process.poll() is None
        process.kill()


def test_a_process_that_has_ended_but_is_not_collected_is_not_alive() -> None:
    with subprocess.Popen(SLEEP) as process:  # noqa: S603 - a constant
        init = InitProcess.of(Path("/proc") / str(process.pid))
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

        assert not init.is_alive()


def test_a_process_of_an_earlier_boot_is_not_alive() -> None:
    myself = InitProcess.of(Path("/proc/self").resolve())

    assert not dataclasses.replace(myself, boot_id="another").is_alive()
