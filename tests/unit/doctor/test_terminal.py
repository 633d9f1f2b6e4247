"""How findings look on a terminal, and when a slow check is named."""

import io
from threading import Event

import pytest

from cli.doctor.finding import Finding, Verdict, ok
from cli.doctor.terminal import SlowCheckNotice, has_colours, render_line


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Terminal()


def test_only_a_terminal_has_colours(terminal: Terminal) -> None:
    assert has_colours(terminal)
    assert not has_colours(io.StringIO())


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_plain_text_can_be_requested(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert not has_colours(terminal)


def test_colours_change_nothing_but_the_colour() -> None:
    bad = Finding(check="pods", verdict=Verdict.FAILED, message="0 of 2 are ready", hint="check them")
    coloured = render_line(bad, colours=True)
    assert coloured != render_line(bad, colours=False) == bad.line
    assert coloured.replace("\x1b[1;31m", "").replace("\x1b[0m", "") == bad.line


def test_a_verdict_has_at_most_four_letters_and_json_has_it_in_lower_case() -> None:
    assert [verdict.word for verdict in Verdict] == ["ok", "warn", "FAIL", "skip"]
    failed = Finding(check="pods", verdict=Verdict.FAILED, message="none", hint="check them", fatal=True)
    assert failed.to_json() == {"check": "pods", "verdict": "fail", "message": "none", "hint": "check them"}
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
