import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cli.doctor.__main__ import main
from cli.doctor.finding import Finding, Verdict

ROOT = Path(__file__).parents[3]


def test_a_missing_settings_file_is_named_and_no_check_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", str(tmp_path / "none.toml")]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert str(tmp_path / "none.toml") in printed.err
    assert "--config PATH" in printed.err


def test_each_mistake_in_the_settings_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "wrong.toml").write_text('domain = "no domain"')
    assert main(["--config", str(tmp_path / "wrong.toml")]) == 2
    printed = capsys.readouterr()
    assert 'domain = "no domain"' in printed.err
    assert "cluster is missing" in printed.err


def test_an_unknown_profile_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--profile", "no-such-profile"]) == 2
    assert "no-such-profile" in capsys.readouterr().err


def test_a_closed_pipe_ends_the_program_without_an_error_message(tmp_path: Path) -> None:
    """As with `| head`. Without credentials, no request leaves the machine before the pipe breaks."""
    reading, writing = os.pipe()
    os.close(reading)
    no_credentials = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}
    command = [sys.executable, "-m", "cli.doctor", "--config", "frontdoor.toml"]
    done = subprocess.run(command, cwd=ROOT, env=no_credentials, stdout=writing, stderr=subprocess.PIPE, check=False)  # noqa: S603 - our own
    os.close(writing)
    assert b"Pipe" not in done.stderr
    assert done.returncode == 128 + signal.SIGPIPE


@pytest.mark.parametrize("seconds", ["0", "61", "soon"])
def test_a_timeout_that_is_not_valid_is_named(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--timeout", seconds])
    assert f"--timeout: {seconds!r}" in capsys.readouterr().err


@pytest.mark.parametrize("message", ["nothing is wrong", "two\nlines"])
def test_a_finding_is_one_line_with_its_fix_at_the_end(message: str) -> None:
    bad = Finding(check="pods", verdict=Verdict.FAILED, message=message, hint="do\nthis")
    assert "\n" not in bad.line
    assert bad.line.startswith("FAIL  pods  ")
    assert bad.line.endswith(". Fix: do this")
