"""The doctor, as an operator runs it on the sandbox: on a healthy front door, and on broken ones."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import NamedTuple

import pytest

from cli.doctor.context import CheckContext
from cli.doctor.finding import Verdict
from lambda_fn.settings import Refresh
from testbed.sandbox import installation, operators
from testbed.sandbox.access import grant_access, revoke_access
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.commands import run
from testbed.sandbox.hosts import point, point_domain
from testbed.sandbox.kubectl import kubectl_json
from testbed.sandbox.world import World
from testbed.waiting import eventually
from tests.e2e.doctor.laptop import examined, is_known, patch, refreshed
from tests.leaks import leaks


def test_every_finding_of_a_healthy_front_door_is_ok(context: CheckContext) -> None:
    findings = examined(context)
    problems = [finding for finding in findings if finding.verdict is not Verdict.OK]
    # The stand-in for CloudFormation has no schedules.
    assert [(one.check, one.verdict) for one in problems] == [("schedule", Verdict.SKIPPED)]
    checked = {finding.check for finding in findings}
    assert checked >= {
        "aws", "stack", "function", "iam", "lifecycle", "access-entry", "watcher", "dead-letter-queue", "cluster",
        "objects",
        "field-managers",
        "credential", "configuration", "pods", "dns", "tls", "registry", "pull",
    }  # fmt: skip


def test_no_finding_holds_a_part_of_the_credential(context: CheckContext) -> None:
    secret = kubectl_json("get", "secret", "aws-registry", f"--namespace={context.settings.cluster.namespace}")
    auths = json.loads(b64decode(secret["data"][".dockerconfigjson"]))["auths"]
    (entry,) = auths.values()
    assert leaks(entry["auth"], "\n".join(finding.line for finding in examined(context))) == []


@contextmanager
def the_access_entry_is_deleted(world: World, control: Control) -> Iterator[None]:
    """The Lambda's access entry is deleted."""
    del control
    group = installation.settings(world).refresher_group
    revoke_access(world, world.refresher_role_arn)
    try:
        yield
    finally:
        grant_access(world, world.refresher_role_arn, [group])


@contextmanager
def the_token_is_revoked(world: World, control: Control) -> Iterator[None]:
    control.expire_tokens()
    try:
        yield
    finally:
        refreshed(world)


@contextmanager
def the_token_is_expired(world: World, control: Control) -> Iterator[None]:
    del control
    # Without the expiry of each host the common one counts, as in a Secret of version 0.1.0.
    expired = {"expires_at": b64encode(b"2026-01-01T00:00:00Z").decode(), "expires_at_by_host": None}
    patch(world, "secret/aws-registry", {"data": expired})
    try:
        yield
    finally:
        refreshed(world)


@contextmanager
def the_secret_is_damaged(world: World, control: Control) -> Iterator[None]:
    del control
    patch(world, "secret/aws-registry", {"data": {".dockerconfigjson": b64encode(b'{"auths": []}').decode()}})
    try:
        yield
    finally:
        refreshed(world)


@contextmanager
def the_template_is_wrong(world: World, control: Control) -> Iterator[None]:
    del control
    installation.edit_template(world, "# {{ no_such_name }}")
    try:
        yield
    finally:
        installation.apply_charts(world)


@contextmanager
def the_configuration_was_edited(world: World, control: Control) -> Iterator[None]:
    del control
    patch(world, "configmap/aws-registry-proxy-config", {"data": {"nginx.conf": "# mine"}})
    try:
        yield
    finally:
        refreshed(world)


@contextmanager
def an_object_is_deleted(world: World, control: Control) -> Iterator[None]:
    del control
    run(("kubectl", "delete", "networkpolicy/aws-registry-proxy", f"--namespace={world.namespace}"))
    try:
        yield
    finally:
        installation.apply_charts(world)


@contextmanager
def the_deployment_is_scaled_down(world: World, control: Control) -> Iterator[None]:
    del control
    patch(world, "deployment/aws-registry-proxy", {"spec": {"replicas": 1}})
    try:
        yield
    finally:
        installation.apply_charts(world)
        refreshed(world)


@contextmanager
def another_image_is_set(world: World, control: Control) -> Iterator[None]:
    """In a paused Deployment, so that no pod is replaced."""
    del control
    container = [{"name": "nginx", "image": f"{world.ecr_host}/elsewhere/nginx:1"}]
    change = {"spec": {"paused": True, "template": {"spec": {"containers": container}}}}
    place = f"--namespace={world.namespace}"
    run(("kubectl", "patch", "deployment/aws-registry-proxy", place, "--patch", json.dumps(change)))
    try:
        yield
    finally:
        installation.apply_charts(world)
        patch(world, "deployment/aws-registry-proxy", {"spec": {"paused": None}})
        refreshed(world)


@contextmanager
def another_manager_writes_the_annotations(world: World, control: Control) -> Iterator[None]:
    """In a paused Deployment, so that no pod is replaced."""
    del control
    annotations = {"ecr-frontdoor/cache-purged-at": "2026-01-01T00:00:00Z"}
    change = {"spec": {"paused": True, "template": {"metadata": {"annotations": annotations}}}}
    patch(world, "deployment/aws-registry-proxy", change)
    try:
        yield
    finally:
        annotated = {"template": {"metadata": {"annotations": dict.fromkeys(annotations)}}}
        patch(world, "deployment/aws-registry-proxy", {"spec": annotated})
        patch(world, "deployment/aws-registry-proxy", {"spec": {"paused": None}})
        refreshed(world)


@contextmanager
def ecr_records_no_pulls_of_the_lambda(world: World, control: Control) -> Iterator[None]:
    del control
    ecr = installation.session(world, "default").client("ecr")
    ecr.register_pull_time_update_exclusion(principalArn=world.refresher_role_arn)
    try:
        yield
    finally:
        ecr.deregister_pull_time_update_exclusion(principalArn=world.refresher_role_arn)


@contextmanager
def the_dns_record_is_deleted(world: World, control: Control) -> Iterator[None]:
    del control
    point(world, {})
    try:
        yield
    finally:
        installation.point_domain_to_proxy(world)


@contextmanager
def the_dns_record_is_wrong(world: World, control: Control) -> Iterator[None]:
    del control
    point_domain(world, world.service_api_address)
    try:
        yield
    finally:
        installation.point_domain_to_proxy(world)


@pytest.mark.parametrize(
    ("image", "verdict", "message"),
    [
        ("team/none:1", Verdict.FAILED, "404"),
        ("no image", Verdict.FAILED, "no image"),
        (None, Verdict.SKIPPED, "--image"),
    ],
)
def test_a_pull_that_does_not_succeed_has_its_reason(
    context: CheckContext, image: str | None, verdict: Verdict, message: str
) -> None:
    *_, pull = examined(replace(context, image=image))
    assert (pull.check, pull.verdict) == ("pull", verdict)
    assert message in pull.message


def test_settings_that_differ_from_the_deployed_ones_are_a_warning(context: CheckContext) -> None:
    other = context.settings.model_copy(update={"refresh": Refresh(period_minutes=120)})
    (one,) = [finding for finding in examined(replace(context, settings=other)) if finding.check == "function"]
    assert one.verdict is Verdict.WARNING


def test_a_role_that_may_push_is_a_failure(context: CheckContext) -> None:
    iam = context.aws.client("iam")
    statement = {"Effect": "Allow", "Action": "ecr:PutImage", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName="frontdoor-refresher", PolicyName="push", PolicyDocument=document)
    try:
        (one,) = [finding for finding in examined(context) if finding.check == "iam"]
    finally:
        iam.delete_role_policy(RoleName="frontdoor-refresher", PolicyName="push")
    assert one.verdict is Verdict.FAILED
    assert "ecr:PutImage on arn:aws:ecr:ap-southeast-2:123456789012:repository/team/x is allowed" in one.message


class Broken(NamedTuple):
    """One way to break a front door, and the finding it makes; message and hint must name these values and commands."""

    break_it: Callable[[World, Control], AbstractContextManager[None]]
    verdict: Verdict
    check: str
    message: tuple[str, ...]
    hint: str


BROKEN = [
    Broken(
        the_access_entry_is_deleted,
        Verdict.FAILED,
        "access-entry",
        ("access entry", "Lambda"),
        "aws eks create-access-entry --region",
    ),
    Broken(the_token_is_revoked, Verdict.FAILED, "credential", ("dkr.ecr.", "refuses"), "run a refresh"),
    Broken(the_token_is_expired, Verdict.FAILED, "credential", ("expired", "2026-01-01 00:00 UTC"), "run a refresh"),
    Broken(the_secret_is_damaged, Verdict.FAILED, "credential", ("Secret aws-registry", "damaged"), "run a refresh"),
    Broken(the_template_is_wrong, Verdict.FAILED, "configuration", ("no_such_name",), "template ConfigMap"),
    Broken(
        the_configuration_was_edited,
        Verdict.FAILED,
        "configuration",
        ("ConfigMap aws-registry-proxy-config",),
        "run a refresh",
    ),
    Broken(
        an_object_is_deleted,
        Verdict.FAILED,
        "objects",
        ("NetworkPolicy aws-registry-proxy", "missing"),
        "frontdoor manifests",
    ),
    Broken(
        the_deployment_is_scaled_down,
        Verdict.WARNING,
        "objects",
        ("Deployment aws-registry-proxy", ".spec.replicas (1 instead of 2) (last written by kubectl-"),
        "frontdoor manifests",
    ),
    Broken(
        another_image_is_set,
        Verdict.WARNING,
        "objects",
        ("elsewhere/nginx:1 instead of 123456789012.dkr.ecr.",),
        "frontdoor manifests",
    ),
    Broken(
        the_token_is_expired, Verdict.WARNING, "field-managers", ("Secret aws-registry", "data by kubectl-"), "GitOps"
    ),
    Broken(
        the_configuration_was_edited,
        Verdict.WARNING,
        "field-managers",
        ("ConfigMap aws-registry-proxy-config", "data by kubectl-"),
        "GitOps",
    ),
    Broken(
        another_manager_writes_the_annotations,
        Verdict.WARNING,
        "field-managers",
        ("cache-purged-at by kubectl-edit, 20",),
        "GitOps",
    ),
    Broken(
        ecr_records_no_pulls_of_the_lambda,
        Verdict.FAILED,
        "lifecycle",
        ("123456789012", "role/frontdoor-refresher"),
        "aws ecr deregister-pull-time-update-exclusion --region ap-southeast-2",
    ),
    Broken(the_dns_record_is_deleted, Verdict.FAILED, "dns", ("registry.frontdoor.test",), "DNS record"),
    Broken(
        the_dns_record_is_wrong, Verdict.FAILED, "tls", ("certificate", "registry.frontdoor.test"), "correct its name"
    ),
]


STATES = {case.break_it: [one for one in BROKEN if one.break_it is case.break_it] for case in BROKEN}


@pytest.mark.parametrize("cases", STATES.values(), ids=[break_it.__name__ for break_it in STATES])
def test_each_finding_of_a_broken_front_door_names_what_is_broken_and_the_fix(
    context: CheckContext, installed: World, control: Control, cases: list[Broken]
) -> None:
    with cases[0].break_it(installed, control):
        findings = examined(context)
    for case in cases:
        (one,) = [
            finding
            for finding in findings
            if finding.check == case.check and all(value in finding.message for value in case.message)
        ]
        assert one.verdict is case.verdict
        assert case.hint in one.hint
        assert "\n" not in one.line


def test_an_operator_without_an_access_entry_gets_a_failure_of_the_cluster(
    context: CheckContext, installed: World
) -> None:
    operators.revoke(installed)
    try:
        assert eventually(lambda: not is_known(installed, context.aws)), "the authenticator still accepts the role"
        (one,) = [finding for finding in examined(context) if finding.check == "cluster"]
    finally:
        operators.grant(installed)
        assert eventually(lambda: is_known(installed, context.aws))
    assert one.verdict is Verdict.FAILED
    assert "401" in one.message
    assert "access entry" in one.hint
