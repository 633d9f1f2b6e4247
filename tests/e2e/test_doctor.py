"""The doctor, as an operator runs it on the sandbox: in health, and in the states people get into."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from typing import NamedTuple

import boto3
import pytest

from doctor import account, door
from doctor.examination import examine
from doctor.finding import Finding, Verdict
from doctor.kubernetes import Kubernetes, Unreadable
from doctor.site import Site
from doctor.stack import Resources
from lambda_fn.eks import Eks
from lambda_fn.settings import Refresh, Settings, to_environment
from sandbox import installation
from sandbox.access import grant_access, revoke_access
from sandbox.cloud.control import Control
from sandbox.commands import run
from sandbox.hosts import point, point_domain
from sandbox.kubectl import kubectl_apply, kubectl_json
from sandbox.world import World
from stacks import ecr_actions
from stacks.stack_name import stack_name
from tests.canary import leaks
from tests.sandbox.cli import eventually

OPERATORS = "platform:operators"


def stack_template(settings: Settings) -> str:
    """What the doctor looks at of a stack; the whole one is deployed by the suite of `make deploy-local`."""
    statements = [
        {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        {"Effect": "Allow", "Action": list(ecr_actions.PULL), "Resource": "arn:aws:ecr:*:*:repository/team/*"},
    ]
    policies = [{"PolicyName": "Refresh", "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}]
    trust = {"Version": "2012-10-17", "Statement": []}
    role = {"RoleName": "frontdoor-refresher", "AssumeRolePolicyDocument": trust, "Policies": policies}
    function = {
        "Code": {"ZipFile": "def handler(event, context): pass"},
        "Handler": "index.handler",
        "Runtime": "python3.13",
        "Role": {"Fn::GetAtt": ["IdentityRole", "Arn"]},
        "Environment": {"Variables": to_environment(settings)},
    }
    resources = {
        "IdentityRole": {"Type": "AWS::IAM::Role", "Properties": role},
        "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {}},
    }
    return json.dumps({"Resources": resources})


def operators_role(world: World) -> str:
    return f"arn:aws:iam::{world.account}:role/platform-engineer"


@pytest.fixture(scope="module")
def operator(installed: World) -> Iterator[boto3.Session]:
    """An operator with the rights docs/operations.md asks for, and no others in the cluster."""
    world = installed
    arn = operators_role(world)
    grant_access(world, arn, [OPERATORS])
    subject = [{"kind": "Group", "name": OPERATORS, "apiGroup": "rbac.authorization.k8s.io"}]
    rbac = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"namespace": world.namespace}}
    rules = [
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]},
        {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles", "rolebindings"], "verbs": ["get"]},
    ]
    for name, kind in (("view", "ClusterRole"), ("doctor", "Role")):
        metadata = {"name": f"doctor-{name}", "namespace": world.namespace}
        of = {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": kind,
            "name": name if name == "view" else "doctor-doctor",
        }
        if kind == "Role":
            kubectl_apply(json.dumps({**rbac, "kind": "Role", "metadata": metadata, "rules": rules}))
        kubectl_apply(
            json.dumps({**rbac, "kind": "RoleBinding", "metadata": metadata, "roleRef": of, "subjects": subject})
        )
    given = installation.session(world, "default").client("sts").assume_role(RoleArn=arn, RoleSessionName="laptop")
    keys = given["Credentials"]
    aws = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name=world.region)
    assert eventually(lambda: is_known(world, aws)), "the access entry does not take effect"
    yield aws
    revoke_access(world, arn)


@pytest.fixture(scope="module")
def site(installed: World, operator: boto3.Session) -> Iterator[Site]:
    settings = installation.settings(installed)
    cloudformation = operator.client("cloudformation")
    cloudformation.create_stack(StackName=stack_name(settings), TemplateBody=stack_template(settings))
    yield Site(settings=settings, aws=operator, image=f"{installed.app_repository}:{installed.app_tag}")
    cloudformation.delete_stack(StackName=stack_name(settings))


def is_known(world: World, aws: boto3.Session) -> bool:
    """Whether the cluster knows the operator by now: the authenticator reads a new entry about a second later."""
    settings = installation.settings(world)
    eks = Eks(settings, aws.client("eks"), aws.client("sts"))
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": world.namespace}}
    with closing(Kubernetes(settings, eks.connect(), eks.bearer())) as kubernetes:
        try:
            return kubernetes.find(namespace) is not None
        except Unreadable:
            return False


def found(site: Site) -> list[Finding]:
    return list(examine(site))


def test_a_healthy_front_door_has_nothing_but_good_findings(site: Site) -> None:
    findings = found(site)
    assert [finding.line for finding in findings if finding.verdict is not Verdict.OK] == []
    looked_at = {finding.check for finding in findings}
    assert looked_at >= {
        "aws", "stack", "function", "iam", "access entry", "failures", "cluster", "objects",
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


def patch(world: World, thing: str, change: object) -> None:
    place = f"--namespace={world.namespace}"
    run(
        (
            "kubectl",
            "patch",
            thing,
            place,
            "--type=merge",
            "--field-manager=kubectl-edit",
            "--patch",
            json.dumps(change),
        )
    )


def refreshed(world: World) -> None:
    invocation = installation.refresh(world, {})
    assert invocation.error is None, invocation.log


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


def resources_with(kind: str, name: str) -> Resources:
    return Resources("CREATE_COMPLETE", ((kind, "Logical", name),))


@pytest.mark.parametrize(("state", "verdict"), [("ENABLED", Verdict.OK), ("DISABLED", Verdict.FAILED)])
def test_a_schedule_that_somebody_disabled_is_found(site: Site, state: str, verdict: Verdict) -> None:
    client = site.aws.client("scheduler")
    arn = "arn:aws:iam::123456789012:role/frontdoor-refresher"
    name = f"refresh-{state.lower()}"
    client.create_schedule(
        Name=name,
        ScheduleExpression="rate(240 minutes)",
        FlexibleTimeWindow={"Mode": "OFF"},
        State=state,
        Target={"Arn": arn, "RoleArn": arn},
    )
    (one,) = account.schedules(site, resources_with("AWS::Scheduler::Schedule", name))
    assert one.verdict is verdict


def test_a_run_that_failed_for_good_is_found(site: Site) -> None:
    client = site.aws.client("sqs")
    url = client.create_queue(QueueName="doctor-failures")["QueueUrl"]
    queue = resources_with("AWS::SQS::Queue", url)
    assert [one.verdict for one in account.failures(site, queue)] == [Verdict.OK]
    client.send_message(QueueUrl=url, MessageBody="{}")
    (one,) = account.failures(site, queue)
    assert (one.verdict, one.said) == (Verdict.WARNING, "1 failed run(s) in doctor-failures")


def test_a_raised_alarm_is_found_and_its_description_says_what_to_do(site: Site) -> None:
    client = site.aws.client("cloudwatch")
    client.put_metric_alarm(
        AlarmName="stuck",
        AlarmDescription="Read the runbook.",
        MetricName="m",
        Namespace="n",
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    alarm = resources_with("AWS::CloudWatch::Alarm", "stuck")
    client.set_alarm_state(AlarmName="stuck", StateValue="OK", StateReason="test")
    assert [one.verdict for one in account.alarms(site, alarm)] == [Verdict.OK]
    client.set_alarm_state(AlarmName="stuck", StateValue="ALARM", StateReason="test")
    (one,) = account.alarms(site, alarm)
    assert (one.verdict, one.way_out) == (Verdict.WARNING, "Read the runbook.")


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


BROKEN = [
    Broken(the_access_entry_is_gone, Verdict.FAILED, "access entry", "has none for the Lambda's role"),
    Broken(the_token_is_revoked, Verdict.FAILED, "credential", "refuses the token in the cluster"),
    Broken(the_token_is_old, Verdict.FAILED, "credential", "the token died at 2026-01-01 00:00 UTC"),
    Broken(the_secret_is_damaged, Verdict.FAILED, "credential", "is not what a refresh writes"),
    Broken(the_template_is_wrong, Verdict.FAILED, "configuration", "no_such_name"),
    Broken(the_configuration_was_edited, Verdict.FAILED, "configuration", "is not what the pods were rolled out with"),
    Broken(an_object_is_gone, Verdict.FAILED, "objects", "NetworkPolicy aws-registry-proxy is missing"),
    Broken(somebody_scaled_it_down, Verdict.WARNING, "objects", "Deployment aws-registry-proxy is not as"),
    Broken(the_name_is_gone, Verdict.FAILED, "dns", "registry.frontdoor.test has no address here"),
    Broken(the_name_leads_elsewhere, Verdict.FAILED, "tls", "the certificate of registry.frontdoor.test is refused"),
]


@pytest.mark.parametrize("case", BROKEN, ids=[case.break_it.__name__ for case in BROKEN])
def test_what_is_broken_is_found_and_how_to_mend_it_said(
    site: Site, installed: World, control: Control, case: Broken
) -> None:
    with case.break_it(installed, control):
        findings = found(site)
    (one,) = [finding for finding in findings if finding.check == case.check and case.said in finding.said]
    assert one.verdict is case.verdict
    assert one.way_out
    assert "\n" not in one.line


def test_an_operator_the_cluster_does_not_know_is_told_so(site: Site, installed: World) -> None:
    revoke_access(installed, operators_role(installed))
    try:
        assert eventually(lambda: not is_known(installed, site.aws)), "the authenticator still knows the role"
        (one,) = [finding for finding in found(site) if finding.check == "cluster"]
    finally:
        grant_access(installed, operators_role(installed), [OPERATORS])
        assert eventually(lambda: is_known(installed, site.aws))
    assert one.verdict is Verdict.FAILED
    assert "does not know you" in one.said
