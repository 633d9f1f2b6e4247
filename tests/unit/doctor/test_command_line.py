import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cli.doctor.__main__ import main
from cli.doctor.finding import failure, fine

ROOT = Path(__file__).parents[3]


def test_a_missing_settings_file_is_named_and_nothing_is_examined(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--config", str(tmp_path / "none.toml")]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.endswith("No such file or directory; --config PATH takes another file\n")


def test_wrong_settings_are_answered_with_their_mistakes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "wrong.toml").write_text('domain = "no domain"')
    assert main(["--config", str(tmp_path / "wrong.toml")]) == 2
    said = capsys.readouterr()
    assert 'domain = "no domain"' in said.err
    assert "cluster is missing" in said.err


def test_an_unknown_profile_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--profile", "nobody-has-this"]) == 2
    assert "nobody-has-this" in capsys.readouterr().err


def test_a_reader_that_has_enough_ends_it_without_a_word(tmp_path: Path) -> None:
    """As `| head` does, and before anything is asked of a network: nobody is logged in."""
    reading, writing = os.pipe()
    os.close(reading)
    nobody = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}
    command = [sys.executable, "-m", "cli.doctor", "--config", "frontdoor.toml"]
    done = subprocess.run(command, cwd=ROOT, env=nobody, stdout=writing, stderr=subprocess.PIPE, check=False)  # noqa: S603 - our own
    os.close(writing)
    assert b"Pipe" not in done.stderr
    assert done.returncode == 128 + signal.SIGPIPE


@pytest.mark.parametrize("said", ["all is well", "two\nlines"])
def test_a_finding_is_one_line(said: str) -> None:
    assert "\n" not in fine("pods", said).line
    assert failure("pods", said, "do\nthis").line.startswith("FAIL  pods            ")
    assert failure("pods", said, "do\nthis").line.endswith(". To mend it: do this")
