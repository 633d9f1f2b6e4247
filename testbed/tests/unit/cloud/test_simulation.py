"""The simulation of IAM decides about `NotResource`, which moto takes for permission, as IAM does."""

import asyncio
import re
from typing import Any
from urllib.parse import urlencode

import pytest

from testbed.sandbox.cloud import simulation
from testbed.sandbox.cloud.simulation import decision

ALL = "arn:aws:ecr:ap-southeast-2:123456789012:repository/"
PULL: dict[str, Any] = {"Effect": "Allow", "Action": "ecr:BatchGetImage", "Resource": f"{ALL}*"}
NOTHING_ELSE: dict[str, Any] = {"Effect": "Deny", "Action": ["ecr:BatchGetImage"], "NotResource": f"{ALL}team/*"}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [*statements]}


@pytest.mark.parametrize(
    ("action", "repository", "expected"),
    [
        ("ecr:BatchGetImage", "team/app", "allowed"),
        ("ecr:BatchGetImage", "payroll", "explicitDeny"),
        ("ecr:PutImage", "team/app", "implicitDeny"),
        ("ecr:PutImage", "payroll", "implicitDeny"),
    ],
)
def test_a_deny_of_all_but_a_resource_denies_all_but_it(action: str, repository: str, expected: str) -> None:
    assert decision([document(PULL, NOTHING_ELSE)], action, f"{ALL}{repository}") == expected


def test_documents_are_looked_at_together_and_one_statement_needs_no_list() -> None:
    alone: dict[str, Any] = {"Version": "2012-10-17", "Statement": NOTHING_ELSE}
    assert decision([document(PULL), alone], "ecr:BatchGetImage", f"{ALL}payroll") == "explicitDeny"
    assert decision([alone], "ecr:BatchGetImage", f"{ALL}team/app") == "implicitDeny"


def test_an_answer_for_several_resources_has_each_decision_below_a_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "_documents", lambda _: [document(PULL, NOTHING_ELSE)])

    def decisions(*repositories: str) -> list[tuple[str, str]]:
        form = {"PolicySourceArn": "arn:aws:iam::123456789012:role/r", "ActionNames.member.1": "ecr:BatchGetImage"}
        form |= {f"ResourceArns.member.{number}": f"{ALL}{name}" for number, name in enumerate(repositories, start=1)}
        text = asyncio.run(simulation.answer(urlencode(form).encode())).text or ""
        return re.findall(r"/(\w+)</EvalResourceName><Eval(?:Resource)?Decision>(\w+)<", text)

    assert decisions("team/app") == [("app", "allowed")]
    assert decisions("team/app", "payroll") == [("app", "allowed"), ("payroll", "explicitDeny")]
