"""What a person sees, and when."""

import io
from threading import Event

import pytest

from cli.doctor.finding import Verdict, failure, fine
from cli.doctor.terminal import Waiting, has_colours, painted


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
def test_who_wants_plain_text_gets_it(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert not has_colours(terminal)


def test_colours_change_nothing_but_the_colour() -> None:
    bad = failure("pods", "0 of 2 serve", "look")
    coloured = painted(bad, colours=True)
    assert coloured != painted(bad, colours=False) == bad.line
    assert coloured.replace("\x1b[1;31m", "").replace("\x1b[0m", "") == bad.line


def test_every_verdict_has_four_letters_at_most_and_json_has_them_in_lower_case() -> None:
    assert [verdict.word for verdict in Verdict] == ["ok", "warn", "FAIL", "skip"]
    assert failure("pods", "none", "look").to_json() == {
        "check": "pods",
        "verdict": "fail",
        "said": "none",
        "way_out": "look",
    }
    assert fine("pods", "all").to_json()["way_out"] == ""


def test_a_long_wait_is_explained() -> None:
    said, told = [], Event()

    def say(line: str) -> None:
        said.append(line)
        told.set()

    waiting = Waiting(say, after_seconds=0)
    waiting.begin("cluster")
    assert told.wait(60)
    waiting.end()
    assert said == [" ...  cluster         still looking"]


def test_a_short_wait_is_not() -> None:
    said: list[str] = []
    waiting = Waiting(said.append, after_seconds=3600)
    for what in ("aws", "cluster"):
        waiting.begin(what)
    waiting.end()
    assert said == []
