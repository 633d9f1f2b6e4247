from pathlib import Path

import pytest

from testbed.sandbox.errors import SandboxError
from testbed.sandbox.processes import Part, Processes


def test_a_part_that_ends_instead_of_becoming_ready_is_quoted(tmp_path: Path) -> None:
    part = Part("etcd", ("sh", "-c", "echo first; echo disk on fire >&2; exit 9"), ready=lambda: False)
    processes = Processes(tmp_path)
    processes.start(part)

    with pytest.raises(SandboxError, match=r"etcd has ended with status 9\n    first\n    disk on fire"):
        processes.wait_until_ready(part, seconds=10)


def test_a_part_that_does_not_become_ready_in_time_is_named(tmp_path: Path) -> None:
    part = Part("etcd", ("sleep", "0.5"), ready=lambda: False)
    processes = Processes(tmp_path)
    processes.start(part)

    with pytest.raises(SandboxError, match=r"etcd is not ready after 0 s"):
        processes.wait_until_ready(part, seconds=0)

    assert next(processes.reap()) == "etcd has ended with status 0"


def test_a_part_gets_its_own_environment_and_log(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    command = ("sh", "-c", f'echo "$GREETING"; touch {ready}')
    part = Part("greeter", command, ready.exists, environment={"GREETING": "hello"})
    processes = Processes(tmp_path)

    processes.start(part)
    processes.wait_until_ready(part, seconds=10)

    assert (tmp_path / "greeter.log").read_text() == "hello\n"
    assert next(processes.reap()) == "greeter has ended with status 0"


def test_the_signal_that_ended_a_part_is_named(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    processes.start(Part("etcd", ("sh", "-c", "kill -KILL $$"), ready=lambda: True))

    assert next(processes.reap()) == "etcd was ended by SIGKILL"


def test_a_missing_program_is_named_with_the_fix(tmp_path: Path) -> None:
    part = Part("etcd", ("/nowhere/etcd",), ready=lambda: True)

    with pytest.raises(
        SandboxError, match=r"etcd: /nowhere/etcd is not installed. Fix: run `python -m testbed.sandbox setup`"
    ):
        Processes(tmp_path).start(part)
