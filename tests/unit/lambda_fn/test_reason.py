"""The message of a failed run, in the response that CDK's trigger sends to CloudFormation."""

import json

import pytest

from lambda_fn.job.diagnosis import LOG_LINES, Problem, report
from lambda_fn.job.reason import shortened

RESPONSE_BYTES = 4_096
STATE = ". The rollout of Deployment aws-registry-proxy is not complete; 0 of 2 pods serve. Fix: correct the cause"
LINE = (
    "2026/11/27 09:14:02 [error] 31#31: *4711 connect() failed (113: No route to host) while connecting to upstream, "
    'client: 10.20.30.40, server: _, request: "GET /v2/ HTTP/1.1", subrequest: "/-/probe", upstream: '
    '"https://10.9.8.7:443/v2/", host: "123456789012.dkr.ecr.ap-southeast-2.amazonaws.com", number {}'
)


def response(message: str) -> bytes:
    """What CDK's entry point sends, with the longest of each name and its stack trace."""
    frames = "".join(f"\n    at {'x' * 12} (/var/task/index.js:1:10{number})" for number in range(6))
    ids = {
        "StackId": f"arn:aws-us-gov:cloudformation:us-gov-west-1:123456789012:stack/{'s' * 128}/{'0' * 36}",
        "RequestId": "0" * 36,
        "PhysicalResourceId": "AWSCDK::CustomResourceProviderFramework::CREATE_FAILED",
        "LogicalResourceId": f"FirstRunTriggerRefresherFunctionCurrentVersion{'0' * 40}",
    }
    sent = {"Status": "FAILED", "Reason": f"Error: {message}{frames}", **ids}
    return json.dumps(sent, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace")


def stuck(pod: str, lines: list[str], problem: str = "runs, but its start-up probe fails") -> str:
    """The message of a stuck rollout: its state after the first line of what is known of the pod."""
    cause, _, details = report(["FailedCreate: quota"], Problem(pod, "nginx", problem), lines).partition("\n")
    return f"{cause}{STATE}\n{details}"


@pytest.mark.parametrize("pod", ["proxy-x", "p" * 253])
@pytest.mark.parametrize("line", [LINE, '"' * 400, "\N{SNOWMAN}" * 400, "\\" * 400])
def test_the_message_of_a_stuck_rollout_fits_with_its_cause_its_fix_and_the_newest_lines(pod: str, line: str) -> None:
    message = stuck(pod, [*[line.format(number) for number in range(LOG_LINES)], "the newest"])
    assert len(response(message)) > RESPONSE_BYTES
    short = shortened(message)
    assert len(response(short)) <= RESPONSE_BYTES
    assert short.startswith(
        f"pod {pod}, container nginx: runs, but its start-up probe fails{STATE}\nFailedCreate: quota\n"
    )
    assert short.endswith("\n  the newest")
    assert "the Lambda's log has the whole message" in short


def test_as_many_of_the_newest_lines_are_kept_as_fit() -> None:
    message = stuck("proxy-x", [LINE.format(number) for number in range(LOG_LINES)])
    quoted = [line for line in shortened(message).splitlines() if line.startswith("  ")]
    assert quoted == message.splitlines()[-len(quoted) :]
    assert len(quoted) >= 5


def test_a_message_that_fits_is_left_as_it_is() -> None:
    message = stuck("proxy-x", ["first", "last"])
    assert shortened(message) == message


@pytest.mark.parametrize("letter", ["a", '"', "\N{SNOWMAN}", "\ud800"])
def test_a_message_of_one_long_line_keeps_its_beginning(letter: str) -> None:
    short = shortened(f"no new token of eu-west-1: {letter * 10_000}")
    assert len(response(short)) <= RESPONSE_BYTES
    assert short.startswith(f"no new token of eu-west-1: {letter * 100}")
    assert short.endswith("the Lambda's log has the whole message)")
