"""A person at a terminal answers the questions of a program."""

import os
import sys
from pathlib import Path

import pytest

from testbed.sandbox import terminal
from testbed.sandbox.errors import SandboxError

ASKS = """
import sys
assert sys.stdin.isatty()
name = input("Your name: ")
input("A color [red]: ")
print("hello", name)
sys.exit(3)
"""


def run(answers: dict[str, str], program: str = ASKS, seconds: float = 60.0) -> terminal.Session:
    words = (sys.executable, "-c", program)
    return terminal.answer(words, answers, environment=os.environ, directory=Path.cwd(), seconds=seconds)


def test_each_question_gets_its_answer_and_is_reported() -> None:
    done = run({"name": "Ada", "color": ""})
    assert done.status == 3
    assert "hello Ada" in done.text
    assert [question.split(":")[0] for question in done.questions] == ["Your name", "A color [red]"]


def test_a_question_without_an_answer_is_named() -> None:
    with pytest.raises(SandboxError, match="A color"):
        run({"name": "Ada"})


def test_a_program_that_neither_asks_nor_ends_is_an_error() -> None:
    with pytest.raises(SandboxError, match="did not end"):
        run({}, "import time; time.sleep(60)", seconds=0.5)
