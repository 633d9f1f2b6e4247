"""How findings look on a terminal, and when a slow check is named."""

import io
import re
from threading import Event

import pytest

from cli.doctor.finding import Finding, Verdict, ok
from cli.doctor.terminal import SlowCheckNotice, render
from cli.terminal import console


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


BAD = Finding(
    check="pods", verdict=Verdict.FAILED, message="0 of 2 [canary] are ready", hint="check them " * 20 + "all"
)


def written(stream: io.StringIO) -> str:
    console(stream).print(render(BAD))
    return stream.getvalue()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm")
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return Terminal()


def test_a_terminal_has_colours_which_change_nothing_but_the_colour(terminal: Terminal) -> None:
    line = written(terminal)
    assert line.startswith("\x1b[1;31mFAIL\x1b[0m  pods")
    assert re.sub(r"\x1b\[[\d;]*m", "", line) == f"{BAD.line}\n"


@pytest.mark.usefixtures("terminal")
def test_elsewhere_a_line_is_plain_and_whole() -> None:
    assert written(io.StringIO()) == f"{BAD.line}\n"


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_plain_text_can_be_requested(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert written(terminal) == f"{BAD.line}\n"


def test_a_verdict_has_at_most_four_letters_and_json_has_it_in_lower_case() -> None:
    assert [verdict.word for verdict in Verdict] == ["ok", "warn", "FAIL", "skip"]
    failed = Finding(check="pods", verdict=Verdict.FAILED, message="none", hint="check them", fatal=True)
    finding = {
        "check": "pods",
        "category": "",
        "verdict": "fail",
        "message": "none",
        "hint": "check them",
        "runbook": "",
    }
    assert failed.to_json() == finding
    assert ok("all").to_json()["hint"] == ""


def test_a_slow_check_is_named() -> None:
    written, called = [], Event()

    def write(line: str) -> None:
        written.append(line)
        called.set()

    notice = SlowCheckNotice(write, after_seconds=0)
    notice.start("cluster")
    assert called.wait(60)
    notice.stop()
    (line,) = written
    assert "cluster" in line


def test_a_fast_check_is_not_named() -> None:
    written: list[str] = []
    notice = SlowCheckNotice(written.append, after_seconds=3600)
    for check in ("aws", "cluster"):
        notice.start(check)
    notice.stop()
    assert written == []
