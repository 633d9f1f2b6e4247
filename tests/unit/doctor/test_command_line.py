import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.command import main
from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, Verdict, failed, ok, warning

ROOT = Path(__file__).parents[3]


def test_a_missing_settings_file_is_named_and_no_check_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--config", str(tmp_path / "none.toml")]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert str(tmp_path / "none.toml") in printed.err
    assert "--config PATH" in printed.err


def test_each_mistake_in_the_settings_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "wrong.toml").write_text('domain = "no domain"')
    assert main(["doctor", "--config", str(tmp_path / "wrong.toml")]) == 2
    printed = capsys.readouterr()
    assert 'domain = "no domain"' in printed.err
    assert "cluster is missing" in printed.err


def test_an_unknown_profile_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--profile", "no-such-profile"]) == 2
    assert "no-such-profile" in capsys.readouterr().err


def test_a_closed_pipe_ends_the_program_without_an_error_message(tmp_path: Path) -> None:
    """As with `| head`. Without credentials, no request leaves the machine before the pipe breaks."""
    reading, writing = os.pipe()
    os.close(reading)
    no_credentials = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}
    command = [sys.executable, "-m", "cli.command", "doctor", "--config", "frontdoor.toml"]
    done = subprocess.run(command, cwd=ROOT, env=no_credentials, stdout=writing, stderr=subprocess.PIPE, check=False)  # noqa: S603 - our own
    os.close(writing)
    assert b"Pipe" not in done.stderr
    assert done.returncode == 128 + signal.SIGPIPE


@pytest.mark.parametrize("seconds", ["0", "61", "soon"])
def test_a_timeout_that_is_not_valid_is_named(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--timeout", seconds]) == 2
    assert "Invalid value for '--timeout'" in capsys.readouterr().err


@pytest.mark.parametrize("message", ["nothing is wrong", "two\nlines"])
def test_a_finding_is_one_line_with_its_fix_at_the_end(message: str) -> None:
    bad = Finding(check="pods", verdict=Verdict.FAILED, message=message, hint="do\nthis")
    assert "\n" not in bad.line
    assert bad.line.startswith("FAIL  pods  ")
    assert bad.line.endswith(". Fix: do this")


@pytest.fixture
def run_checks(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> "Run":
    return Run(monkeypatch, capsys)


class Run:
    """Runs the program with one check that has these findings."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, *found: Finding | BaseException, arguments: tuple[str, ...] = ()) -> tuple[int, str]:
        def run(_: CheckContext) -> Iterator[Finding]:
            for one in found:
                if isinstance(one, BaseException):
                    raise one
                yield one

        checks = [Check("pods", Category.CLUSTER, run)]
        if "--removed" in arguments:
            self._monkeypatch.setattr("cli.doctor.removal.removal_checks", lambda _: checks)
        else:
            self._monkeypatch.setattr("cli.doctor.checks.all_checks", lambda: checks)
        status = main(["doctor", "--config", str(ROOT / "frontdoor.toml"), *arguments])
        return status, self._capsys.readouterr().out


def test_without_a_failure_the_exit_status_is_0_and_the_last_line_counts(run_checks: Run) -> None:
    status, printed = run_checks(ok("all are ready"), warning("one restarts", "check it"))
    assert status == 0
    first, second, summary = printed.splitlines()
    assert first.split() == ["ok", "pods", "all", "are", "ready"]
    assert second.startswith("warn  pods")
    assert summary == "1 ok, 1 warn"


def test_with_a_failure_the_exit_status_is_1(run_checks: Run) -> None:
    status, printed = run_checks(failed("none is ready", "check them"))
    assert status == 1
    assert printed.startswith("FAIL  pods")


def test_after_a_removal_what_was_not_checked_is_status_1(run_checks: Run) -> None:
    assert run_checks(ok("nothing is left"), arguments=("--removed",))[0] == 0
    status, printed = run_checks(ok("nothing is left"), warning("you may not", "ask for it"), arguments=("--removed",))
    assert status == 1
    assert "warn  pods" in printed


def test_json_is_one_list_with_the_six_keys_of_each_finding(run_checks: Run) -> None:
    status, printed = run_checks(failed("none is ready", "check them"), ok("all"), arguments=("--json",))
    assert status == 1
    pods = {"check": "pods", "category": "cluster", "runbook": "docs/operations.md#what-to-look-at-first-the-doctor"}
    assert json.loads(printed) == [
        pods | {"verdict": "fail", "message": "none is ready", "hint": "check them"},
        pods | {"verdict": "ok", "message": "all", "hint": ""},
    ]


@pytest.mark.parametrize("arguments", [("--quiet",), ("--quiet", "--json")])
def test_quiet_prints_only_what_is_wrong(run_checks: Run, arguments: tuple[str, ...]) -> None:
    status, printed = run_checks(ok("all are ready"), failed("none answers", "check them"), arguments=arguments)
    assert status == 1
    assert "none answers" in printed
    assert "all are ready" not in printed
    assert run_checks(ok("all are ready"), arguments=arguments) == (0, "[]\n" if "--json" in arguments else "")


def test_an_interrupt_ends_with_the_status_of_its_signal(run_checks: Run) -> None:
    status, _ = run_checks(KeyboardInterrupt())
    assert status == 128 + signal.SIGINT
