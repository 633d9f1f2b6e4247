"""The runtime interface client really runs the handler: what it is given, and what comes back of each ending."""

from pathlib import Path

import pytest

from testbed.sandbox.lambda_runtime import invoke

REGION = {"AWS_REGION": "ap-southeast-2"}
HANDLERS = """
import json, os, sys, time

def echo(event, context):
    print("to standard output")
    print("to standard error", file=sys.stderr)
    remaining_seconds = context.get_remaining_time_in_millis() / 1000
    return {"event": event, "remaining_seconds": remaining_seconds, "names": sorted(os.environ)}

def fail(event, context):
    raise ValueError("because")

def hang(event, context):
    time.sleep(60)

def die(event, context):
    os.kill(os.getpid(), 11)
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "handlers.py").write_text(HANDLERS)
    return {**REGION, "PYTHONPATH": str(tmp_path)}


def test_the_handler_gets_the_event_and_its_answer_comes_back(environment: dict[str, str]) -> None:
    event = {"text": "ü" * 10_000}
    done = invoke("handlers.echo", event, environment, 30)
    assert done.error is None
    assert done.payload["event"] == event
    assert 20 < done.payload["remaining_seconds"] <= 30
    assert "to standard output" in done.log
    assert "to standard error" in done.log


def test_the_function_inherits_nothing_of_the_callers_environment(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of the caller")
    names = invoke("handlers.echo", {}, environment, 30).payload["names"]
    assert "AWS_SECRET_ACCESS_KEY" not in names
    assert "HOME" not in names


def test_a_raised_error_comes_back_as_lambda_reports_it(environment: dict[str, str]) -> None:
    done = invoke("handlers.fail", {}, environment, 30)
    assert done.payload is None
    assert done.error is not None
    assert (done.error["errorType"], done.error["errorMessage"]) == ("ValueError", "because")


def test_a_handler_that_never_answers_is_an_error(environment: dict[str, str]) -> None:
    error = {"errorType": "Sandbox.Timedout", "errorMessage": "Task timed out after 3 seconds"}
    assert invoke("handlers.hang", {}, environment, 3).error == error


def test_a_crash_says_where_it_was(environment: dict[str, str]) -> None:
    error = invoke("handlers.die", {}, environment, 30).error
    assert error is not None
    assert error["errorMessage"].startswith("the runtime ended with -11; its last words: ")
    assert "in die" in error["errorMessage"]


def test_a_handler_that_is_not_there_is_an_error(environment: dict[str, str]) -> None:
    error = invoke("nowhere.handler", {}, environment, 30).error
    assert error is not None
    assert error["errorType"] == "Runtime.ImportModuleError"
