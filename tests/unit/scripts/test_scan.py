import json
import sys
from typing import Any

import pytest

from scripts import scan

QUEUE = ("checkov", "CKV_AWS_27", "Queue")


def checkov(*failed: tuple[str, str], passed: int = 1, parsing_errors: int = 0) -> str:
    checks = [{"check_id": check, "resource": resource} for check, resource in failed]
    summary = {"passed": passed, "failed": len(checks), "parsing_errors": parsing_errors}
    return json.dumps([{"check_type": "kubernetes", "results": {"failed_checks": checks}, "summary": summary}])


def kube_score(*checks: tuple[str, int, bool]) -> str:
    listed = [{"check": {"id": check}, "grade": grade, "skipped": skipped} for check, grade, skipped in checks]
    return json.dumps([{"object_meta": {"name": "proxy"}, "checks": listed}])


def test_a_finding_that_is_not_accepted_is_an_error() -> None:
    assert scan.faults({QUEUE}, set()) == [
        "checkov: Queue fails CKV_AWS_27: change it, or accept it with a reason in scripts/scan.toml"
    ]


def test_an_accepted_finding_that_is_gone_is_an_error() -> None:
    assert scan.faults(set(), {QUEUE}) == ["checkov: Queue does not fail CKV_AWS_27: remove it from scripts/scan.toml"]


def test_an_accepted_finding_is_accepted_for_its_objects_only() -> None:
    allowed = scan.accepted({"checkov": {"CKV_AWS_27": {"reason": "SSE-SQS", "objects": ["Queue"]}}})
    (fault,) = scan.faults({QUEUE, ("checkov", "CKV_AWS_27", "Other")}, allowed)
    assert "Other" in fault


@pytest.mark.parametrize("entry", [{"objects": ["Queue"]}, {"reason": "SSE-SQS"}, {"reason": "", "objects": ["Queue"]}])
def test_an_entry_needs_a_reason_and_objects(entry: dict[str, Any]) -> None:
    with pytest.raises(scan.ScanError, match=r"\[checkov\.CKV_AWS_27\] needs a reason and objects"):
        scan.accepted({"checkov": {"CKV_AWS_27": entry}})


def test_a_resource_of_checkov_is_named_without_the_digest_of_cdk() -> None:
    answer = checkov(("CKV_AWS_27", "AWS::SQS::Queue.QueueB0898B50"), ("CKV_K8S_11", "Deployment.registry.proxy"))
    assert scan.of_checkov(answer) == {QUEUE, ("checkov", "CKV_K8S_11", "proxy")}


@pytest.mark.parametrize("answer", [checkov(passed=0), checkov(parsing_errors=1), '{"passed": 0, "failed": 0}', "no"])
def test_a_run_of_checkov_that_checked_nothing_or_not_all_is_an_error(answer: str) -> None:
    with pytest.raises(scan.ScanError, match="checkov"):
        scan.of_checkov(answer)


def test_warnings_of_kube_score_count_and_skipped_checks_do_not() -> None:
    answer = kube_score(("critical", 1, False), ("warning", 5, False), ("skipped", 1, True), ("good", 10, False))
    assert scan.of_kube_score(answer) == {("kube-score", "critical", "proxy"), ("kube-score", "warning", "proxy")}


@pytest.mark.parametrize("answer", ["[]", "null", "error"])
def test_a_run_of_kube_score_without_an_object_is_an_error(answer: str) -> None:
    with pytest.raises(scan.ScanError, match="kube-score"):
        scan.of_kube_score(answer)


@pytest.mark.parametrize("status", [0, 1, 2])
def test_a_tool_without_an_answer_is_an_error_with_its_own_message(status: int) -> None:
    program = f"import sys; sys.stderr.write('network is unreachable'); sys.exit({status})"
    with pytest.raises(scan.ScanError, match="network is unreachable"):
        scan.run([sys.executable, "-c", program], failed=1)
