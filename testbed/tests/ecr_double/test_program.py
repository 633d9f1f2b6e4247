"""The program itself, a second one in a network of its own: rows E of testbed/docs/ecr-double.md."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testbed.sandbox.world import World

DIES_WITHIN_SECONDS = 20
Start = Callable[[Path], "subprocess.Popen[str]"]


@pytest.fixture
def start(world: World) -> Iterator[Start]:
    """Starts a double in a network that has the sandbox's addresses and nothing else."""
    addresses = [f"ip addr add {address}/32 dev lo" for address in world.addresses]
    network = " && ".join(["ip link set lo up", *addresses])
    started = []

    def make(state: Path) -> "subprocess.Popen[str]":
        program = f'{network} && exec "{sys.executable}" -m testbed.sandbox.cloud --state "{state}"'
        command = ("unshare", "--net", "sh", "-c", program)
        process = subprocess.Popen(  # noqa: S603  our own program
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield make
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def state(tmp_path: Path, world: World) -> Path:
    (tmp_path / "pki").symlink_to(world.pki)
    return tmp_path


def children(process: "subprocess.Popen[str]") -> dict[str, int]:
    """Name of the part -> its process id."""
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    names = {int(number): Path(f"/proc/{number}/cmdline").read_text() for number in listed}
    return {part: number for number, line in names.items() for part in ("moto", "registry") if part in line}


def wait_until_ready(process: "subprocess.Popen[str]") -> None:
    assert process.stdout is not None
    said = process.stdout.readline()
    if said != "ready\n":
        pytest.fail(f"the double did not start: {said!r}{process.communicate(timeout=DIES_WITHIN_SECONDS)[1]}")


def exists(number: int) -> bool:
    return Path(f"/proc/{number}").exists()


@pytest.mark.row("E1")
def test_sigterm_ends_it_and_its_children(start: Start, state: Path) -> None:
    process = start(state)
    wait_until_ready(process)
    parts = children(process)
    assert set(parts) == {"moto", "registry"}

    process.terminate()
    _, complaint = process.communicate(timeout=DIES_WITHIN_SECONDS)

    assert (process.returncode, complaint) == (0, "")
    assert [part for part, number in parts.items() if exists(number)] == []


@pytest.mark.row("E2")
@pytest.mark.parametrize("part", ["moto", "registry"])
def test_a_part_that_ends_ends_the_double_with_the_parts_name(start: Start, state: Path, part: str) -> None:
    process = start(state)
    wait_until_ready(process)
    parts = children(process)

    os.kill(parts[part], signal.SIGKILL)
    _, complaint = process.communicate(timeout=DIES_WITHIN_SECONDS)

    assert process.returncode == 1
    assert complaint == f"testbed.sandbox.cloud: {part} ended with status -9: see {state}/cloud/{part}.log\n"
    assert [part for part, number in parts.items() if exists(number)] == []


@pytest.mark.row("E3")
def test_a_start_without_certificates_names_the_missing_one(start: Start, tmp_path: Path) -> None:
    process = start(tmp_path)

    # Python's imports count here as well, and take longer beside other suites.
    _, complaint = process.communicate(timeout=3 * DIES_WITHIN_SECONDS)

    assert process.returncode == 1
    assert f"{tmp_path}/pki/aws.crt" in complaint
