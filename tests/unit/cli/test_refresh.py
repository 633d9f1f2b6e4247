"""`frontdoor refresh`: what it sends to the Lambda, and how it shows the report."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import compress, product
from pathlib import Path
from typing import Any, NoReturn

import pytest
from botocore.exceptions import NoCredentialsError
from typer.testing import CliRunner, Result

from cli.command import app
from cli.stack_function import REFRESHER
from lambda_fn.job import event
from lambda_fn.job.report import Report
from tests.fakes.aws import Answer, FakeAws

CONFIG = Path(__file__).parents[3] / "frontdoor.toml"
REPORT = Report(
    dry_run=False,
    hosts=("123456789012.dkr.ecr.ap-southeast-2.amazonaws.com",),
    expires_at=datetime(2026, 11, 27, 12, tzinfo=UTC),
    config_sha256="a" * 64,
    changed=("Secret aws-registry",),
    rolled_out=True,
    cache_purged=True,
    pods_ready=2,
    pods_wanted=2,
    warnings=("a pod was evicted",),
).to_json()
STACK = {
    "StackName": "s",
    "CreationTime": "2026-01-01T00:00:00Z",
    "StackStatus": "CREATE_COMPLETE",
    "Outputs": [{"OutputKey": REFRESHER, "OutputValue": "refresher"}],
}
Run = Callable[..., tuple[Result, list[dict[str, Any]]]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command with a function that returns this; returns the invocations, too."""

    def ran(
        *words: str, returned: object = REPORT, failed: bool = False, **changed: Answer
    ) -> tuple[Result, list[Any]]:
        def invoked(_: object) -> dict[str, Any]:
            answer = {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(returned).encode())}
            return answer | ({"FunctionError": "Unhandled"} if failed else {})

        usual: dict[str, Answer] = {"DescribeStacks": {"Stacks": [STACK]}, "Invoke": invoked}
        aws = FakeAws(usual | changed)
        monkeypatch.setattr("cli.stack_function.session", lambda *_: aws)
        done = CliRunner().invoke(app, ["refresh", "--config", str(CONFIG), *words])
        return done, [parameters for operation, parameters in aws.asked if operation == "Invoke"]

    return ran


@pytest.mark.parametrize(
    ("words", "event"),
    [
        ((), {}),
        (("--dry-run", "--purge-cache"), {"dry_run": True, "purge_cache": True}),
        (("--force-rollout",), {"force_rollout": True}),
    ],
)
def test_the_options_are_the_event_of_one_invocation(run: Run, words: tuple[str, ...], event: dict[str, bool]) -> None:
    done, invocations = run(*words)
    assert done.exit_code == 0, done.output
    assert [json.loads(one["Payload"]) for one in invocations] == [event]
    assert invocations[0]["FunctionName"] == "refresher"


def test_the_report_names_tokens_changes_rollout_and_warnings(run: Run) -> None:
    done, _ = run()
    for text in ("2026-11-27T12:00:00", "Secret aws-registry", "purged their caches; 2 of 2 pods", "a pod was evicted"):
        assert text in done.stdout
    dry, _ = run(returned=REPORT | {"dry_run": True})
    assert "would write" in dry.stdout
    assert "would replace the pods" in dry.stdout
    assert "none; 2 of 2" in run(returned=REPORT | {"rolled_out": False})[0].stdout


def test_json_is_the_report_itself(run: Run) -> None:
    assert json.loads(run("--json")[0].stdout) == REPORT


@pytest.mark.parametrize(("succeeded", "status"), [(True, 0), (False, 1)])
def test_the_canary_alone_decides_over_its_status(run: Run, succeeded: bool, status: int) -> None:  # noqa: FBT001 - a parameter of a test
    result = {"succeeded": True, "seconds": 0.5} if succeeded else {"succeeded": False, "message": "404"}
    done, invocations = run("--canary", returned={"canary": result})
    assert done.exit_code == status
    assert json.loads(invocations[0]["Payload"]) == {"canary": True}
    assert ("pulled in 0.5 s" if succeeded else "FAILED: 404") in done.stdout


def test_a_run_that_failed_is_status_1_with_its_message(run: Run) -> None:
    error = {"errorType": "RegistryError", "errorMessage": "ECR refused. Fix: wait", "stackTrace": ["secret"]}
    done, _ = run(returned=error, failed=True)
    assert done.exit_code == 1
    assert "RegistryError: ECR refused. Fix: wait" in done.stderr
    assert "stackTrace" not in done.output
    done, _ = run("--json", returned=error, failed=True)
    assert (done.exit_code, json.loads(done.stdout)) == (1, error)


def without_credentials(_: object) -> NoReturn:
    raise NoCredentialsError


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"Invoke": "AccessDeniedException: not you"}, "not you. Fix: log in, or use --profile NAME"),
        ({"DescribeStacks": without_credentials}, "Unable to locate credentials. Fix: log in, or use --profile NAME"),
        ({"Invoke": None}, 'no answer is set for Invoke". Fix: check the route to AWS'),
    ],
    ids=["refused", "without credentials", "unreachable"],
)
def test_an_invocation_that_aws_refuses_or_does_not_answer_is_status_1_with_the_fix(
    run: Run, answers: dict[str, Answer], message: str
) -> None:
    done, _ = run(**answers)
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.endswith(f"{message}\n")


@pytest.mark.parametrize(
    "answer",
    ["ValidationError: Stack with id s does not exist", {"Stacks": [STACK | {"Outputs": []}]}],
)
def test_a_stack_that_has_no_function_is_named(run: Run, answer: Answer) -> None:
    done, invocations = run(DescribeStacks=answer)
    assert "Fix: deploy" in str(done.exception)
    assert invocations == []


@pytest.mark.parametrize(
    ("others", "fix"),
    [
        (["--dry-run"], "leave out --dry-run"),
        (["--force-rollout"], "leave out --force-rollout"),
        (["--purge-cache", "--dry-run"], "leave out --dry-run and --purge-cache"),
    ],
    ids="+".join,
)
def test_an_option_beside_the_canary_is_refused_by_its_name(run: Run, others: list[str], fix: str) -> None:
    done, invocations = run("--canary", *others)
    assert str(done.exception) == f"--canary is a run of its own. Fix: {fix}"
    assert invocations == []


@pytest.mark.parametrize("chosen", [*product([False, True], repeat=4)], ids=str)
def test_what_is_sent_is_an_event_that_the_lambda_accepts(run: Run, chosen: tuple[bool, ...]) -> None:
    options = ("--dry-run", "--force-rollout", "--purge-cache", "--canary")
    is_refused = chosen[-1] and any(chosen[:-1])
    returned = REPORT | {"canary": {"succeeded": True, "seconds": 1}}
    _, invocations = run(*compress(options, chosen), returned=returned)
    assert len(invocations) == (0 if is_refused else 1)
    for one in invocations:
        event.parse(json.loads(one["Payload"]))
