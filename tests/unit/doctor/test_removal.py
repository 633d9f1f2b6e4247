"""What the doctor finds after a removal: a stack that is left, objects that are left, and what it could not read."""

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import Pod

from cli.doctor.checks import all_checks
from cli.doctor.context import CheckContext
from cli.doctor.examination import examine
from cli.doctor.finding import Finding, Verdict
from cli.doctor.kubernetes import Kubernetes
from cli.doctor.kubernetes_errors import RequestRefusedError, UnknownKindError, UnreachableError
from cli.doctor.removal import removal_checks
from k8s_manifests import documents
from lambda_fn.settings import Settings
from tests.fakes.aws import Answer, FakeAws
from tests.fakes.kubernetes import FakeKubernetes
from tests.unit.doctor.account import GROUPS, SETTINGS, healthy, stack, with_cluster

OK, WARNING, FAILED, SKIPPED = Verdict.OK, Verdict.WARNING, Verdict.FAILED, Verdict.SKIPPED
CHECKS = removal_checks(all_checks())
GONE: Answer = "ValidationError: Stack with id s does not exist"
NO_CLUSTER = "ResourceNotFoundException: No cluster found"


def deleted(*names: str) -> Answer:
    """CloudFormation's list of the stacks that were deleted."""
    at = datetime(2026, 11, 26, 10, 20, 30, tzinfo=UTC)
    of_all = {"StackStatus": "DELETE_COMPLETE", "CreationTime": at, "DeletionTime": at}
    return {"StackSummaries": [{"StackName": name} | of_all for name in names]}


NAME = "ecr-frontdoor-shared-registry"
REMOVED: dict[str, Answer] = {"DescribeStacks": GONE, "ListStacks": deleted("another", NAME)}
KUBECTL = SETTINGS.model_copy(update={"manifests": "kubectl"})
FINALIZER = "elbv2.k8s.aws/resources"


def objects(of: Settings = KUBECTL) -> list[dict[str, Any]]:
    return deepcopy(documents(of, target_groups=GROUPS))


def named(*titles: str) -> list[dict[str, Any]]:
    return [one for one in objects() if f"{one['kind']} {one['metadata']['name']}" in titles]


def pod(name: str, *, ending: bool = False) -> Pod:
    # lightkube reads times as datetime; only whether there is one counts here.
    ends_at: Any = "2026-11-26T00:00:00Z" if ending else None
    return Pod(metadata=ObjectMeta(name=name, deletionTimestamp=ends_at))


def found(
    kubernetes: Kubernetes, of: Settings = KUBECTL, answers: dict[str, Answer] | None = None, *, stack_: Answer = GONE
) -> list[Finding]:
    aws = FakeAws(healthy() | REMOVED | {"DescribeStacks": stack_} | (answers or {}))
    return list(examine(CHECKS, with_cluster(CheckContext(settings=of, aws=aws), kubernetes)))


def failure(findings: list[Finding]) -> Finding:
    (one,) = [finding for finding in findings if finding.verdict is not OK]
    assert one.verdict is FAILED
    return one


def test_a_complete_removal_has_only_findings_that_are_ok() -> None:
    assert [(one.check, one.verdict) for one in found(FakeKubernetes())] == [
        ("aws", OK),
        ("stack", OK),
        ("objects", OK),
    ]


def test_the_namespace_and_what_the_lambda_wrote_may_stay() -> None:
    kept = [one for one in objects() if one["kind"] == "Namespace"]
    secret = {"kind": "Secret", "metadata": {"name": "aws-registry"}}
    assert {one.verdict for one in found(FakeKubernetes([*kept, secret]))} == {OK}


def test_objects_that_kubectl_did_not_delete_are_named_with_the_command_that_shows_why() -> None:
    left = named("Deployment aws-registry-proxy", "Service aws-registry-proxy")
    one = failure(found(FakeKubernetes(left)))
    assert one.check == "objects"
    assert "Service aws-registry-proxy (not deleted), Deployment aws-registry-proxy (not deleted)" in one.message
    assert "kubectl -n registry delete service/aws-registry-proxy deployment.apps/aws-registry-proxy" in one.hint


def test_an_object_that_waits_for_a_finalizer_is_named_with_it() -> None:
    (binding,) = named("TargetGroupBinding aws-registry-proxy")
    binding["metadata"] |= {"deletionTimestamp": "2026-11-26T00:00:00Z", "finalizers": [FINALIZER]}
    one = failure(found(FakeKubernetes([binding])))
    assert f"TargetGroupBinding aws-registry-proxy (is being deleted, and waits for {FINALIZER})" in one.message


@pytest.mark.parametrize("kind", sorted({one["kind"] for one in objects()} - {"Namespace"}))
def test_each_kind_of_the_charts_is_looked_for(kind: str) -> None:
    left = [one for one in objects() if one["kind"] == kind]
    assert left[0]["metadata"]["name"] in failure(found(FakeKubernetes(left))).message


def test_with_an_administrator_his_objects_may_stay_and_those_of_the_stack_may_not() -> None:
    proxy = {"ConfigMap", "PodDisruptionBudget", "TargetGroupBinding", "Deployment"}
    his = [one for one in objects(SETTINGS) if one["kind"] not in proxy]
    assert {one.verdict for one in found(FakeKubernetes(his), SETTINGS)} == {OK}
    assert "Deployment aws-registry-proxy" in failure(found(FakeKubernetes(objects(SETTINGS)), SETTINGS)).message


def test_a_pod_that_runs_on_is_named() -> None:
    one = failure(found(FakeKubernetes(pods=[pod("runs"), pod("ends", ending=True)])))
    assert "runs" in one.message
    assert "ends" not in one.message


def test_pods_that_end_their_pulls_are_no_failure() -> None:
    findings = found(FakeKubernetes(pods=[pod("ends", ending=True)]))
    assert {one.verdict for one in findings} == {OK}
    assert "1 end" in findings[-1].message


@pytest.mark.parametrize("changed", [{"keep_objects": True}, {"manifests": "external"}])
def test_objects_that_are_to_stay_are_not_looked_for(changed: dict[str, Any]) -> None:
    of = KUBECTL.model_copy(update=changed)
    *_, last = found(FakeKubernetes(objects(of)), of)
    assert (last.check, last.verdict) == ("objects", SKIPPED)
    assert next(iter(changed)) in last.message


@pytest.mark.parametrize(
    "status",
    [
        "UPDATE_COMPLETE", "DELETE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED",
        "REVIEW_IN_PROGRESS",
    ],
)  # fmt: skip
def test_a_stack_that_is_left_is_the_only_failure_and_is_not_deployed_again(status: str) -> None:
    one = failure(found(FakeKubernetes(objects()), stack_=stack(status)))
    assert one.check == "stack"
    assert status in one.message
    assert "make destroy" in one.hint
    assert "deploy" not in one.hint.replace("deployment", "")


def test_a_stack_that_is_being_deleted_is_a_failure_with_the_advice_to_wait() -> None:
    one = failure(found(FakeKubernetes(objects()), stack_=stack("DELETE_IN_PROGRESS")))
    assert (one.check, one.hint) == ("stack", "wait until the deletion ends, then run this again")
    assert one.message.endswith("is DELETE_IN_PROGRESS")


def test_a_stack_that_is_left_without_its_cluster_is_deleted_by_force() -> None:
    one = failure(found(FakeKubernetes(), answers={"DescribeCluster": NO_CLUSTER}, stack_=stack("DELETE_FAILED")))
    assert "FORCE_DELETE_STACK" in one.hint


def test_without_the_cluster_nothing_in_it_serves() -> None:
    aws = FakeAws(healthy() | REMOVED | {"DescribeCluster": NO_CLUSTER})
    findings = list(examine(CHECKS, CheckContext(settings=KUBECTL, aws=aws)))
    assert {one.verdict for one in findings} == {OK}
    assert "cluster shared does not exist" in findings[-1].message


def test_an_operator_sees_in_which_account_there_is_neither_the_stack_nor_the_cluster() -> None:
    aws = FakeAws(healthy() | REMOVED | {"DescribeCluster": NO_CLUSTER})
    _, of_stack, of_cluster = examine(CHECKS, CheckContext(settings=KUBECTL, aws=aws))
    place = "does not exist in ap-southeast-2 of account 123456789012"
    assert (place in of_stack.message, place in of_cluster.message) == (True, True)
    assert "2026-11-26 10:20" in of_stack.message


@pytest.mark.parametrize("cluster", [NO_CLUSTER, healthy()["DescribeCluster"]], ids=["no-cluster", "a-cluster"])
@pytest.mark.parametrize("listed", [deleted(), deleted("another", f"{NAME}-2")], ids=["none", "others"])
@pytest.mark.parametrize("changed", [{}, {"keep_objects": True}, {"manifests": "external"}], ids=str)
def test_an_account_that_never_had_the_stack_does_not_pass_for_a_removal(
    cluster: Answer, listed: Answer, changed: dict[str, Any]
) -> None:
    """As with the credentials of another account, while the registry serves on."""
    answers = {"DescribeCluster": cluster, "ListStacks": listed}
    (one,) = [f for f in found(FakeKubernetes(), KUBECTL.model_copy(update=changed), answers) if f.verdict is WARNING]
    assert one.check == "stack"
    assert "account 123456789012" in one.message
    assert "another account" in one.hint


def test_a_refused_list_of_stacks_is_a_warning() -> None:
    (one,) = [f for f in found(FakeKubernetes(), answers={"ListStacks": "AccessDenied: no"}) if f.verdict is not OK]
    assert (one.check, one.verdict) == ("stack", WARNING)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ("AccessDeniedException: not authorized", "log in, or use --profile NAME, with a right to eks:DescribeCluster"),
        ({"cluster": {"status": "CREATING"}}, "run this again when the cluster is ACTIVE"),
    ],
    ids=["denied", "not active"],
)
def test_a_cluster_that_eks_does_not_describe_is_not_taken_for_removed(answer: Answer, hint: str) -> None:
    aws = FakeAws(healthy() | REMOVED | {"DescribeCluster": answer})
    one = failure(list(examine(CHECKS, CheckContext(settings=KUBECTL, aws=aws))))
    assert "not checked" in one.message
    assert one.hint.startswith(hint)
    assert not any(word in one.message + one.hint for word in ("Lambda", "schedule"))


def test_an_api_that_does_not_answer_is_not_taken_for_an_empty_cluster() -> None:
    one = failure(found(FakeKubernetes(error=UnreachableError("no answer", "connect"))))
    assert "no answer" in one.message


def test_an_object_that_may_not_be_read_is_not_taken_for_deleted() -> None:
    findings = found(FakeKubernetes(error=RequestRefusedError("you may not", "ask for it")))
    assert {one.verdict for one in findings if one.check == "objects" and "not checked" in one.message} == {FAILED}


def test_a_kind_without_a_definition_has_no_objects() -> None:
    assert {one.verdict for one in found(FakeKubernetes(error=UnknownKindError("unknown kind", "hint")))} == {OK}
