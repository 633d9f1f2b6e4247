"""The doctor, as an operator runs it on the sandbox: in health, and in the states people get into."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import NamedTuple

import pytest

from cli.doctor import door
from cli.doctor.finding import Verdict
from cli.doctor.site import Site
from lambda_fn.settings import Refresh
from testbed.sandbox import installation, operators
from testbed.sandbox.access import grant_access, revoke_access
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.commands import run
from testbed.sandbox.hosts import point, point_domain
from testbed.sandbox.kubectl import kubectl_json
from testbed.sandbox.world import World
from testbed.waiting import eventually
from tests.canary import leaks
from tests.e2e.doctor.laptop import found, is_known, patch, refreshed


def test_a_healthy_front_door_has_nothing_but_good_findings(site: Site) -> None:
    findings = found(site)
    troubles = [finding for finding in findings if finding.verdict is not Verdict.OK]
    # The stand-in for CloudFormation knows no schedules.
    assert [(one.check, one.verdict) for one in troubles] == [("schedule", Verdict.SKIPPED)]
    looked_at = {finding.check for finding in findings}
    assert looked_at >= {
        "aws", "stack", "function", "iam", "access entry", "failures", "cluster", "objects", "owners",
        "credential", "configuration", "pods", "dns", "tls", "registry", "pull",
    }  # fmt: skip


def test_nothing_of_the_credential_is_in_a_finding(site: Site) -> None:
    secret = kubectl_json("get", "secret", "aws-registry", f"--namespace={site.settings.cluster.namespace}")
    auths = json.loads(b64decode(secret["data"][".dockerconfigjson"]))["auths"]
    (entry,) = auths.values()
    assert leaks(entry["auth"], "\n".join(finding.line for finding in found(site))) == []


@contextmanager
def the_access_entry_is_gone(world: World, control: Control) -> Iterator[None]:
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
def the_token_is_old(world: World, control: Control) -> Iterator[None]:
    del control
    patch(world, "secret/aws-registry", {"data": {"expires_at": b64encode(b"2026-01-01T00:00:00Z").decode()}})
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
def an_object_is_gone(world: World, control: Control) -> Iterator[None]:
    del control
    run(("kubectl", "delete", "networkpolicy/aws-registry-proxy", f"--namespace={world.namespace}"))
    try:
        yield
    finally:
        installation.apply_charts(world)


@contextmanager
def somebody_scaled_it_down(world: World, control: Control) -> Iterator[None]:
    del control
    patch(world, "deployment/aws-registry-proxy", {"spec": {"replicas": 1}})
    try:
        yield
    finally:
        installation.apply_charts(world)
        refreshed(world)


@contextmanager
def another_image_is_set(world: World, control: Control) -> Iterator[None]:
    """Of a Deployment that is paused, so that no pod is replaced."""
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
def the_rollout_was_taken_over(world: World, control: Control) -> Iterator[None]:
    """In a Deployment that is paused, too."""
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
def the_name_is_gone(world: World, control: Control) -> Iterator[None]:
    del control
    point(world, {})
    try:
        yield
    finally:
        installation.open_the_door(world)


@contextmanager
def the_name_leads_elsewhere(world: World, control: Control) -> Iterator[None]:
    del control
    point_domain(world, world.service_api_address)
    try:
        yield
    finally:
        installation.open_the_door(world)


@pytest.mark.parametrize(
    ("image", "verdict", "said"),
    [
        ("team/none:1", Verdict.FAILED, "answered 404"),
        ("no image", Verdict.FAILED, "names no image"),
        (None, Verdict.SKIPPED, "no image was named"),
    ],
)
def test_a_pull_that_fails_says_how(site: Site, image: str | None, verdict: Verdict, said: str) -> None:
    *_, pull = door.examine(replace(site, image=image))
    assert (pull.check, pull.verdict) == ("pull", verdict)
    assert said in pull.said


def test_other_settings_than_the_deployed_ones_are_found(site: Site) -> None:
    other = site.settings.model_copy(update={"refresh": Refresh(period_minutes=120)})
    (one,) = [finding for finding in found(replace(site, settings=other)) if finding.check == "function"]
    assert one.verdict is Verdict.WARNING


def test_a_role_that_may_not_pull_or_may_push_is_found(site: Site) -> None:
    iam = site.aws.client("iam")
    statement = {"Effect": "Allow", "Action": "ecr:PutImage", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName="frontdoor-refresher", PolicyName="push", PolicyDocument=document)
    try:
        (one,) = [finding for finding in found(site) if finding.check == "iam"]
    finally:
        iam.delete_role_policy(RoleName="frontdoor-refresher", PolicyName="push")
    assert one.verdict is Verdict.FAILED
    assert "ecr:PutImage on arn:aws:ecr:ap-southeast-2:123456789012:repository/team/x is allowed" in one.said


class Broken(NamedTuple):
    """One way to break a front door, and the finding that says so."""

    break_it: Callable[[World, Control], AbstractContextManager[None]]
    verdict: Verdict
    check: str
    said: str
    way_out: str


BROKEN = [
    Broken(
        the_access_entry_is_gone,
        Verdict.FAILED,
        "access entry",
        "has none for the role of the Lambda",
        "aws eks create-access-entry --region",
    ),
    Broken(
        the_token_is_revoked,
        Verdict.FAILED,
        "credential",
        "refuses the token in the cluster",
        "run the refresh and read what it says",
    ),
    Broken(
        the_token_is_old,
        Verdict.FAILED,
        "credential",
        "the token died at 2026-01-01 00:00 UTC",
        "run the refresh and read what it says",
    ),
    Broken(
        the_secret_is_damaged,
        Verdict.FAILED,
        "credential",
        "is not what a refresh writes",
        "run the refresh and read what it says",
    ),
    Broken(the_template_is_wrong, Verdict.FAILED, "configuration", "no_such_name", "correct the template ConfigMap"),
    Broken(
        the_configuration_was_edited,
        Verdict.FAILED,
        "configuration",
        "is not what the pods were rolled out with",
        "it writes the configuration anew",
    ),
    Broken(
        an_object_is_gone,
        Verdict.FAILED,
        "objects",
        "NetworkPolicy aws-registry-proxy is missing",
        "python -m k8s_manifests",
    ),
    Broken(
        somebody_scaled_it_down,
        Verdict.WARNING,
        "objects",
        "replicas is 1 and not 2 (last written by kubectl-",
        "python -m k8s_manifests",
    ),
    Broken(
        another_image_is_set,
        Verdict.WARNING,
        "objects",
        "elsewhere/nginx:1 and not 123456789012.dkr.ecr.",
        "python -m k8s_manifests",
    ),
    Broken(
        the_token_is_old,
        Verdict.WARNING,
        "owners",
        "Secret aws-registry has fields of the Lambda's that",
        "find out what writes there",
    ),
    Broken(
        the_configuration_was_edited,
        Verdict.WARNING,
        "owners",
        "ConfigMap aws-registry-proxy-config has fields",
        "find out what writes there",
    ),
    Broken(
        the_rollout_was_taken_over,
        Verdict.WARNING,
        "owners",
        "cache-purged-at by kubectl-edit, 20",
        "find out what writes there",
    ),
    Broken(the_name_is_gone, Verdict.FAILED, "dns", "registry.frontdoor.test has no address here", "make the record"),
    Broken(
        the_name_leads_elsewhere,
        Verdict.FAILED,
        "tls",
        "the certificate of registry.frontdoor.test is refused",
        "give it the right name",
    ),
]


STATES = {case.break_it: [one for one in BROKEN if one.break_it is case.break_it] for case in BROKEN}


@pytest.mark.parametrize("cases", STATES.values(), ids=[break_it.__name__ for break_it in STATES])
def test_what_is_broken_is_found_and_how_to_mend_it_said(
    site: Site, installed: World, control: Control, cases: list[Broken]
) -> None:
    with cases[0].break_it(installed, control):
        findings = found(site)
    for case in cases:
        (one,) = [finding for finding in findings if finding.check == case.check and case.said in finding.said]
        assert one.verdict is case.verdict
        assert case.way_out in one.way_out
        assert "\n" not in one.line


def test_an_operator_the_cluster_does_not_know_is_told_so(site: Site, installed: World) -> None:
    operators.dismiss(installed)
    try:
        assert eventually(lambda: not is_known(installed, site.aws)), "the authenticator still knows the role"
        (one,) = [finding for finding in found(site) if finding.check == "cluster"]
    finally:
        operators.admit(installed)
        assert eventually(lambda: is_known(installed, site.aws))
    assert one.verdict is Verdict.FAILED
    assert "does not know you" in one.said
