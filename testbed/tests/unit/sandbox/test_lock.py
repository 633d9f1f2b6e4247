import subprocess
import sys
from pathlib import Path

import pytest

from testbed.sandbox.lock import lock

HOLD = """\
import sys, time
from pathlib import Path
from testbed.sandbox.lock import lock
with lock(Path(sys.argv[1])):
    print(flush=True)
    time.sleep(float(sys.argv[2]))
"""
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets are Linux's")


def test_a_lock_waits_for_its_owner_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = (sys.executable, "-c", HOLD, str(tmp_path), "1")
    with subprocess.Popen(words, stdout=subprocess.PIPE) as owner:  # noqa: S603 - our own words
        assert owner.stdout is not None
        owner.stdout.readline()

        with lock(tmp_path):
            assert owner.wait(timeout=5) == 0

    assert str(tmp_path) in capsys.readouterr().err


def test_a_lock_is_free_again_when_its_owner_was_killed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = (sys.executable, "-c", HOLD, str(tmp_path), "60")
    with subprocess.Popen(words, stdout=subprocess.PIPE) as owner:  # noqa: S603 - our own words
        assert owner.stdout is not None
        owner.stdout.readline()
        owner.kill()

    with lock(tmp_path):
        assert "waiting" not in capsys.readouterr().err


def test_locks_of_different_folders_do_not_meet(tmp_path: Path) -> None:
    with lock(tmp_path / "one"), lock(tmp_path / "two"):
        pass
