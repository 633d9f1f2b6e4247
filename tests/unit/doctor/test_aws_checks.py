"""What each AWS check finds, case by case, against answers in the shapes of AWS's own service models."""

import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, cast

import boto3
import pytest
from moto import mock_aws

from cli.doctor.check import Check
from cli.doctor.checks import (
    access_entry,
    alarms,
    aws,
    dead_letter_queue,
    endpoints,
    function,
    iam,
    lifecycle,
    load_balancer,
    schedule,
    stack,
    watcher,
)
from cli.doctor.context import CheckContext
from cli.doctor.examination import examine
from cli.doctor.finding import Finding, Verdict
from cli.doctor.stack_resources import APPLIED_OBJECTS, DEPLOYMENT_LOG, LOAD_BALANCER, TARGET_GROUP, StackResources
from lambda_fn.settings import Page, Refresh, Registry, Replica, ServiceExposure, Settings, Watcher, to_json
from lambda_fn.settings.deployment import Deployment
from stacks.ecr_actions import IMPORT
from tests.fakes.aws import REGION, Answer, FakeAws
from tests.unit.doctor.account import (
    BALANCER,
    PROXIED,
    RECEIVING,
    SETTINGS,
    SOURCE,
    SOURCE_OF_DELETIONS,
    TARGETS,
    alarm,
    balancer,
    context,
    deciding,
    findings,
    healthy,
    messages,
    only_for,
    proxy_protocol,
    rule,
    schedules,
    simulated,
    subscribed,
    target,
    targets,
    template,
)
from tests.unit.doctor.account import endpoints as vpc_endpoints
from tests.unit.doctor.account import stack as described

OK, WARNING, FAILED, SKIPPED = Verdict.OK, Verdict.WARNING, Verdict.FAILED, Verdict.SKIPPED
OTHER_PERIOD = SETTINGS.model_copy(update={"refresh": Refresh(period_minutes=120, rollout_timeout_seconds=780)})
DESTROY = "make destroy"


ROLE = "arn:aws:iam::123456789012:role/role"


class Broken(NamedTuple):
    """One answer of AWS that is not healthy, and the finding it makes.

    The message and the hint must name the given keys, values and commands, in any wording.
    """

    check: Check
    answers: Mapping[str, Answer]
    verdict: Verdict
    message: tuple[str, ...]
    hint: str


EXPIRE = {"type": "expire"}
ARCHIVE = {"type": "transition", "targetStorageClass": "archive"}


def lifecycle_policy(action: Mapping[str, str], count: str) -> dict[str, str]:
    selection = {"tagStatus": "any", "countType": count, "countUnit": "days", "countNumber": 30}
    rules = [{"rulePriority": 1, "selection": selection, "action": dict(action)}]
    return {"repositoryName": "team/app", "lifecyclePolicyText": json.dumps({"rules": rules})}


def pages(first: Mapping[str, Any], second: Mapping[str, Any]) -> Answer:
    """Two pages of a list: the second one for a request with a token."""
    return lambda parameters: second if "nextToken" in parameters else first


BROKEN = {
    "other settings": Broken(
        function.CHECK,
        {"GetTemplate": template(to_json(OTHER_PERIOD))},
        WARNING,
        ("refresher", "refresh.period_minutes"),
        "--config PATH",
    ),
    "settings of another version": Broken(
        function.CHECK, {"GetTemplate": template('{"new": 1}')}, WARNING, ("refresher", "version"), "deploy"
    ),
    "a function that cannot run": Broken(
        function.CHECK,
        {"GetFunctionConfiguration": {"State": "Failed", "StateReason": "The subnet is gone"}},
        FAILED,
        ("refresher", "The subnet is gone"),
        "subnet",
    ),
    "a deleted function": Broken(
        function.CHECK, {"GetFunctionConfiguration": "ResourceNotFoundException"}, FAILED, ("refresher",), DESTROY
    ),
    "a deleted role of the Lambda": Broken(
        iam.CHECK, {"GetRole": "NoSuchEntity"}, FAILED, ("refresher-role", "Lambda"), DESTROY
    ),
    "a deleted role of kubectl": Broken(
        access_entry.CHECK, {"GetRole": "NoSuchEntity"}, FAILED, ("kubectl-role",), DESTROY
    ),
    "a role that may push": Broken(
        iam.CHECK,
        {"SimulatePrincipalPolicy": simulated(push="allowed")},
        FAILED,
        ("ecr:PutImage on arn:aws:ecr:ap-southeast-2:123456789012:repository/team/x is allowed",),
        "permissions boundary",
    ),
    "a role that may not pull": Broken(
        iam.CHECK,
        {"SimulatePrincipalPolicy": simulated(pull="implicitDeny")},
        FAILED,
        ("ecr:BatchGetImage on arn:aws:ecr:ap-southeast-2:123456789012:repository/team/x is implicitDeny",),
        "permissions boundary",
    ),
    "a role that may import into a repository of the team": Broken(
        iam.CHECK,
        {"SimulatePrincipalPolicy": simulated(imports="allowed")},
        FAILED,
        ("ecr:CreateRepository on arn:aws:ecr:ap-southeast-2:123456789012:repository/team/x is allowed",),
        "permissions boundary",
    ),
    "a token that can pull what another policy allows": Broken(
        iam.CHECK,
        {"SimulatePrincipalPolicy": simulated(outside="implicitDeny")},
        FAILED,
        ("token", "ecr:BatchCheckLayerAvailability on arn:aws:ecr:"),
        "deploy",
    ),
    "a cluster without access entries": Broken(
        access_entry.CHECK,
        {"DescribeCluster": {"cluster": {"accessConfig": {"authenticationMode": "CONFIG_MAP"}}}},
        FAILED,
        ("cluster shared", "CONFIG_MAP"),
        "authenticationMode=API_AND_CONFIG_MAP",
    ),
    "no access entry of the Lambda": Broken(
        access_entry.CHECK,
        {"DescribeAccessEntry": "ResourceNotFoundException"},
        FAILED,
        ("cluster shared", "Lambda"),
        "aws eks create-access-entry --region ap-southeast-2 --cluster-name shared",
    ),
    "an access entry with another group": Broken(
        access_entry.CHECK,
        {"DescribeAccessEntry": {"accessEntry": {"kubernetesGroups": [SETTINGS.refresher_group]}}},
        FAILED,
        ("kubectl", "ecr-frontdoor:refresher:registry", "ecr-frontdoor:deployer:registry"),
        "--kubernetes-groups ecr-frontdoor:deployer:registry",
    ),
    "a disabled refresh": Broken(
        schedule.CHECK,
        {"GetSchedule": schedules(refresh={"ScheduleExpression": "rate(240 minutes)", "State": "DISABLED"})},
        FAILED,
        ("schedule refresh", "disabled", "12 hours"),
        "EventBridge Scheduler",
    ),
    "a deleted schedule of the refresh": Broken(
        schedule.CHECK,
        {"GetSchedule": schedules(refresh="ResourceNotFoundException")},
        FAILED,
        ("schedule refresh", "12 hours"),
        "cdk synth",
    ),
    "a refresh at other times": Broken(
        schedule.CHECK,
        {"GetSchedule": schedules(refresh={"ScheduleExpression": "rate(1 days)"})},
        WARNING,
        ("refresh", "rate(1 days)", "240"),
        "deploy",
    ),
    "a disabled canary": Broken(
        schedule.CHECK,
        {"GetSchedule": schedules(canary={"ScheduleExpression": "rate(15 minutes)", "State": "DISABLED"})},
        WARNING,
        ("schedule canary", "disabled"),
        "EventBridge Scheduler",
    ),
    "a deleted schedule of the canary": Broken(
        schedule.CHECK,
        {"GetSchedule": schedules(canary="ResourceNotFoundException")},
        WARNING,
        ("schedule canary",),
        "cdk synth",
    ),
    "runs that failed": Broken(
        dead_letter_queue.CHECK,
        {"GetQueueAttributes": messages(failures=2)},
        WARNING,
        ("2", "queue failures"),
        f"purge-queue --region {REGION} --queue-url https://sqs.{REGION}.amazonaws.com/123456789012/failures",
    ),
    "events that failed": Broken(
        dead_letter_queue.CHECK,
        {"GetQueueAttributes": messages(events_dlq=3)},
        WARNING,
        ("3", "events of ECR", "queue events-dlq"),
        f"start-message-move-task --region {REGION} --source-arn arn:aws:sqs:{REGION}:123456789012:events-dlq",
    ),
    "a disabled rule of the watcher": Broken(
        watcher.CHECK,
        {"DescribeRule": only_for("Name", "rule", rule("DISABLED"), rule())},
        WARNING,
        ("rule rule", "DISABLED", "ECR deletes"),
        "enable",
    ),
    "a deleted rule of the watcher": Broken(
        watcher.CHECK,
        {"DescribeRule": only_for("Name", "rule-of-deletions", "ResourceNotFoundException", rule())},
        WARNING,
        ("rule rule-of-deletions",),
        DESTROY,
    ),
    "a disabled event source mapping": Broken(
        watcher.CHECK,
        {"GetEventSourceMapping": only_for("UUID", SOURCE_OF_DELETIONS, {"State": "Disabled"}, RECEIVING)},
        WARNING,
        (f"mapping {SOURCE_OF_DELETIONS}", "Disabled"),
        "enable",
    ),
    "a deleted event source mapping": Broken(
        watcher.CHECK,
        {"GetEventSourceMapping": only_for("UUID", SOURCE, "ResourceNotFoundException", RECEIVING)},
        WARNING,
        (f"mapping {SOURCE}",),
        DESTROY,
    ),
    "a queue that Lambda cannot read": Broken(
        watcher.CHECK,
        {
            "GetEventSourceMapping": only_for(
                "UUID", SOURCE, {"State": "Enabled", "LastProcessingResult": "PROBLEM: Function call failed"}, RECEIVING
            )
        },
        WARNING,
        ("PROBLEM: Function call failed",),
        "key",
    ),
    "a deleted queue": Broken(
        dead_letter_queue.CHECK,
        {"GetQueueAttributes": "AWS.SimpleQueueService.NonExistentQueue"},
        FAILED,
        ("queue failures",),
        DESTROY,
    ),
    "an alarm in state ALARM": Broken(
        alarms.CHECK,
        {"DescribeAlarms": alarm(StateValue="ALARM")},
        WARNING,
        ("RefreshFailed", "ALARM"),
        "A run failed.",
    ),
    "an alarm with disabled actions": Broken(
        alarms.CHECK,
        {"DescribeAlarms": alarm(ActionsEnabled=False)},
        WARNING,
        ("RefreshFailed", "disabled"),
        "enable-alarm-actions --region ap-southeast-2 --alarm-names RefreshFailed",
    ),
    "a deleted alarm": Broken(
        alarms.CHECK, {"DescribeAlarms": {"MetricAlarms": []}}, WARNING, ("RefreshFailed",), "cdk synth"
    ),
    "an unconfirmed mail subscription": Broken(
        alarms.CHECK,
        {"ListSubscriptionsByTopic": subscribed("PendingConfirmation")},
        WARNING,
        ("ops@example.net",),
        "aws sns subscribe --protocol email --region ap-southeast-2 --topic-arn",
    ),
    "a deleted load balancer": Broken(
        load_balancer.CHECK, {"DescribeLoadBalancers": "LoadBalancerNotFound"}, FAILED, ("front",), DESTROY
    ),
    "a failed load balancer": Broken(
        load_balancer.CHECK,
        {"DescribeLoadBalancers": balancer("failed", "no free address")},
        FAILED,
        ("front", "failed", "no free address"),
        "subnets",
    ),
    "a load balancer that cannot scale": Broken(
        load_balancer.CHECK,
        {"DescribeLoadBalancers": balancer("active_impaired")},
        WARNING,
        ("front", "active_impaired"),
        "subnets",
    ),
    "a load balancer that is provisioned": Broken(
        load_balancer.CHECK,
        {"DescribeLoadBalancers": balancer("provisioning")},
        WARNING,
        ("front", "provisioning"),
        "wait",
    ),
    "a deleted target group": Broken(
        load_balancer.CHECK, {"DescribeTargetHealth": "TargetGroupNotFound"}, FAILED, (TARGETS,), DESTROY
    ),
    "no registered pod": Broken(
        load_balancer.CHECK,
        {"DescribeTargetHealth": targets(target("draining"))},
        FAILED,
        ("target group pods: no pod is registered",),
        "AWS Load Balancer Controller",
    ),
    "only unhealthy pods": Broken(
        load_balancer.CHECK,
        {
            "DescribeTargetHealth": targets(
                target("unhealthy", "Target.Timeout", "Request timed out"),
                target("unhealthy", "Target.Timeout", "Request timed out"),
            )
        },
        FAILED,
        ("target group pods: 0 of 2", "2 unhealthy (Target.Timeout) (Request timed out)"),
        "security groups",
    ),
    "one unhealthy pod": Broken(
        load_balancer.CHECK,
        {"DescribeTargetHealth": targets(target("healthy"), target("initial", "Elb.RegistrationInProgress"))},
        WARNING,
        ("target group pods: 1 of 2", "1 initial (Elb.RegistrationInProgress)"),
        "security groups",
    ),
    "a target group that does not send PROXY protocol": Broken(
        load_balancer.CHECK,
        {"DescribeTargetGroupAttributes": proxy_protocol("false")},
        FAILED,
        (PROXIED, "does not send PROXY protocol"),
        "proxy_protocol_v2.enabled",
    ),
    "a pod that is not registered": Broken(
        load_balancer.CHECK,
        {"DescribeTargetHealth": targets(target("healthy"))},
        WARNING,
        ("target group pods: 1 of 1", "proxy.replicas is 2"),
        "AWS Load Balancer Controller",
    ),
    "a lifecycle rule that looks at pulls": Broken(
        lifecycle.CHECK,
        {"GetLifecyclePolicy": lifecycle_policy(ARCHIVE, "sinceImagePulled")},
        WARNING,
        ("team/app", "123456789012", "ap-southeast-2", "archive", "30 days"),
        "sinceImagePushed",
    ),
    "a role whose pulls are not recorded": Broken(
        lifecycle.CHECK,
        {
            "ListPullTimeUpdateExclusions": pages(
                {"pullTimeUpdateExclusions": [f"{ROLE}-other"], "nextToken": "2"}, {"pullTimeUpdateExclusions": [ROLE]}
            )
        },
        FAILED,
        (ROLE, "123456789012"),
        f"deregister-pull-time-update-exclusion --region ap-southeast-2 --principal-arn {ROLE}",
    ),
    "a failed endpoint of the stack": Broken(
        endpoints.CHECK,
        {"DescribeVpcEndpoints": vpc_endpoints("failed")},
        FAILED,
        ("ecr.dkr", "vpc-0a1b2c3d4e5f60718", "failed"),
        "deploy",
    ),
    "a missing endpoint of another party": Broken(
        endpoints.CHECK,
        {"DescribeVpcEndpoints": {"VpcEndpoints": vpc_endpoints()["VpcEndpoints"][1:]}},
        WARNING,
        ("ecr.api", "vpc-0a1b2c3d4e5f60718", "missing"),
        "endpoints.existing",
    ),
    "an endpoint without private DNS": Broken(
        endpoints.CHECK,
        {"DescribeVpcEndpoints": vpc_endpoints(private_dns=False)},
        WARNING,
        ("ecr.dkr", "vpc-0a1b2c3d4e5f60718", "private DNS"),
        "private DNS",
    ),
}  # fmt: skip
CHECKS = {case.check.id: case.check for case in BROKEN.values()}


@pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN)
def test_one_finding_names_what_is_broken_and_the_fix(case: Broken) -> None:
    (one,) = [
        finding
        for finding in findings(case.check, context(case.answers))
        if finding.verdict is not OK and all(value in finding.message for value in case.message)
    ]
    assert (one.check, one.verdict) == (case.check.id, case.verdict)
    assert case.hint in one.hint
    assert "\n" not in one.line


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_every_check_of_a_healthy_front_door_is_ok(check: Check) -> None:
    found = findings(check, context())
    assert [finding.verdict for finding in found] == [OK] * len(found) != []


def test_the_documented_permissions_are_those_of_the_calls() -> None:
    _, rest = Path("docs/operations.md").read_text("utf-8").split("The doctor needs in AWS")
    table, _ = rest.split("In the cluster it needs")
    assert {action for _, action in re.findall(r"`(\w+):(\w+)`", table)} == set(healthy())


def test_what_the_lambda_does_not_need_of_the_file_is_no_difference() -> None:
    tagged = SETTINGS.model_copy(update={"deployment": Deployment(tags={"cost-center": "4711"})})
    one, _ = findings(function.CHECK, context(settings=tagged))
    assert one.verdict is OK


@pytest.mark.parametrize(
    ("status", "verdict", "hint"),
    [
        ("CREATE_COMPLETE", OK, ""),
        ("UPDATE_COMPLETE", OK, ""),
        ("UPDATE_IN_PROGRESS", WARNING, "wait"),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", WARNING, "wait"),
        ("UPDATE_ROLLBACK_COMPLETE", WARNING, "deploy again"),
        ("REVIEW_IN_PROGRESS", FAILED, "deploy"),
        ("ROLLBACK_COMPLETE", FAILED, "deploy again"),
        ("ROLLBACK_FAILED", FAILED, DESTROY),
        ("IMPORT_ROLLBACK_FAILED", FAILED, "refuses"),
        ("CREATE_FAILED", FAILED, DESTROY),
        ("DELETE_FAILED", FAILED, DESTROY),
    ],
)
def test_each_status_of_the_stack_has_its_verdict_and_fix(status: str, verdict: Verdict, hint: str) -> None:
    (one,) = findings(stack.CHECK, context({"DescribeStacks": described(status)}))
    assert one.verdict is verdict
    assert status in one.message
    assert hint in one.hint


@pytest.mark.parametrize(
    "status", ["CREATE_FAILED", "ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"]
)
def test_after_a_failed_deployment_the_log_that_has_a_long_cause_is_named(status: str) -> None:
    (one,) = findings(stack.CHECK, context({"DescribeStacks": described(status)}))
    assert f"ecr-frontdoor-shared-registry-{DEPLOYMENT_LOG}" in one.hint


def resource(kind: str, logical: str, status: str) -> dict[str, Any]:
    return {
        "ResourceType": kind,
        "LogicalResourceId": logical,
        "PhysicalResourceId": "1",
        "ResourceStatus": status,
        "LastUpdatedTimestamp": "2026-01-01T00:00:00Z",
    }


def stuck_rollback(*resources: dict[str, Any]) -> Finding:
    answers: dict[str, Answer] = {
        "DescribeStacks": described("UPDATE_ROLLBACK_FAILED"),
        "ListStackResources": {"StackResourceSummaries": list(resources)},
    }
    (one,) = findings(stack.CHECK, context(answers))
    assert one.verdict is FAILED
    continued = "continue-update-rollback --region ap-southeast-2 --stack-name ecr-frontdoor-shared-registry"
    assert continued in one.hint
    return one


def test_a_rollback_that_kubectl_stops_can_skip_what_it_applies_and_the_finding_says_what_that_leaves() -> None:
    one = stuck_rollback(
        resource(APPLIED_OBJECTS, "WorkloadManifest1", "UPDATE_FAILED"),
        resource(APPLIED_OBJECTS, "WorkloadNamespace1", "UPDATE_COMPLETE"),
        resource("AWS::Lambda::Function", "RefresherFunction1", "UPDATE_FAILED"),
    )
    assert "WorkloadManifest1, RefresherFunction1" in one.message
    assert "--resources-to-skip WorkloadManifest1: " in one.hint
    assert "frontdoor manifests" in one.hint


def test_a_rollback_that_stops_elsewhere_is_not_to_be_skipped() -> None:
    one = stuck_rollback(resource("AWS::Lambda::Function", "RefresherFunction1", "UPDATE_FAILED"))
    assert "RefresherFunction1" in one.message
    assert "--resources-to-skip" not in one.hint


@pytest.mark.parametrize(
    ("cluster", "hint"),
    [
        (
            "ResourceNotFoundException: No cluster found",
            "--stack-name ecr-frontdoor-shared-registry --deletion-mode FORCE_DELETE_STACK",
        ),
        ("AccessDeniedException: not authorized", DESTROY),
    ],
)
def test_a_stack_whose_cluster_was_deleted_first_is_deleted_by_force(cluster: str, hint: str) -> None:
    (one,) = findings(stack.CHECK, context({"DescribeStacks": described("DELETE_FAILED"), "DescribeCluster": cluster}))
    assert (one.verdict, "DELETE_FAILED" in one.message) == (FAILED, True)
    assert hint in one.hint
    assert ("FORCE" in one.hint) == ("cluster shared" in one.message)


def test_the_operator_is_named_by_aws() -> None:
    (one,) = findings(aws.CHECK, context())
    assert one.verdict is OK
    assert "arn:aws:iam::123456789012:user/operator" in one.message


def test_credentials_that_aws_refuses_are_fatal() -> None:
    (one,) = findings(aws.CHECK, context({"GetCallerIdentity": "ExpiredToken: the token is expired"}))
    assert (one.verdict, one.fatal) == (FAILED, True)
    assert "ExpiredToken" in one.message
    assert "--profile" in one.hint


def test_a_missing_stack_is_named_and_no_check_of_its_resources_runs() -> None:
    given = context({"DescribeStacks": "ValidationError: Stack with id s does not exist"})
    (one,) = examine([stack.CHECK, *CHECKS.values()], given)
    assert (one.check, one.verdict) == ("stack", FAILED)
    assert "ecr-frontdoor-shared-registry" in one.message
    assert "ap-southeast-2" in one.message


@pytest.mark.parametrize(
    ("without", "check", "verdict"),
    [
        ("ScheduleCanary1", schedule.CHECK, WARNING),
        ("WatcherSource1", watcher.CHECK, WARNING),
        ("WatcherSourceOfDeletions1", watcher.CHECK, WARNING),
        ("WatcherEventsRule1", watcher.CHECK, WARNING),
        ("WatcherDeletionsRule1", watcher.CHECK, WARNING),
        ("RefresherFunction1", function.CHECK, FAILED),
        ("LoadBalancerNlb1", load_balancer.CHECK, FAILED),
        ("IdentityRole1", iam.CHECK, FAILED),
    ],
)
def test_the_fix_for_a_resource_that_the_stack_lacks_is_to_deploy(without: str, check: Check, verdict: Verdict) -> None:
    (one,) = [finding for finding in findings(check, context(without=without)) if finding.verdict is not OK]
    assert (one.verdict, one.hint) == (verdict, "deploy")


@pytest.mark.parametrize("allowed", ["*", "ecr-*"])
def test_settings_that_allow_every_repository_have_nothing_to_deny(allowed: str) -> None:
    (registry,) = SETTINGS.registries
    wide = SETTINGS.model_copy(update={"registries": (registry.model_copy(update={"repositories": (allowed,)}),)})
    given = context({"SimulatePrincipalPolicy": simulated(outside="implicitDeny")}, wide)
    assert [one.verdict for one in findings(iam.CHECK, given)] == [OK]


def test_the_rights_are_simulated_for_the_names_that_ecr_has() -> None:
    (registry,) = SETTINGS.registries
    tables = tuple(
        registry.model_copy(update=update)
        for update in (
            {"repositories": ("base/*",), "strip": "base/", "prefix": "platform/"},
            {"repositories": ("ecr-frontdoor/*",)},
        )
    )
    simulated_arns = set[str]()

    def answer(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        simulated_arns.update(parameters["ResourceArns"])
        return simulated()(parameters)

    found = findings(
        iam.CHECK, context({"SimulatePrincipalPolicy": answer}, SETTINGS.model_copy(update={"registries": tables}))
    )
    assert [one.verdict for one in found] == [OK]
    assert {arn.rpartition(":repository/")[2] for arn in simulated_arns} == {"*", "platform/x", "ecr-frontdoor/x"}


@pytest.mark.parametrize(("imports", "verdict"), [("allowed", OK), ("explicitDeny", FAILED)])
def test_the_role_of_a_mirror_may_import(imports: str, verdict: Verdict) -> None:
    (registry,) = SETTINGS.registries
    mirror = registry.model_copy(update={"repositories": ("docker-hub/*",), "pull_through": True})
    given = {"SimulatePrincipalPolicy": simulated(imports=imports)}
    found = findings(iam.CHECK, context(given, SETTINGS.model_copy(update={"registries": (mirror,)})))
    assert [one.verdict for one in found] == [verdict]
    assert ("ecr:BatchImportUpstreamImage on" in found[0].message) is (verdict is FAILED)


@pytest.mark.parametrize(("in_replica", "verdict"), [("explicitDeny", OK), ("allowed", FAILED)])
def test_the_role_of_a_mirror_may_not_import_into_its_replica(in_replica: str, verdict: Verdict) -> None:
    (registry,) = SETTINGS.registries
    replicas = (Replica(account="123456789012", region="ap-southeast-4"),)
    mirror = {"repositories": ("docker-hub/*",), "pull_through": True, "replicas": replicas}

    def decide(action: str, resource: str) -> str:
        if resource.endswith("/on-no-allow-list"):
            return "explicitDeny"
        if action in IMPORT:
            return in_replica if ":ap-southeast-4:" in resource else "allowed"
        return "implicitDeny" if action == "ecr:PutImage" else "allowed"

    answer = deciding(decide)
    given = SETTINGS.model_copy(update={"registries": (registry.model_copy(update=mirror),)})
    (one,) = findings(iam.CHECK, context({"SimulatePrincipalPolicy": answer}, given))
    assert one.verdict is verdict


def test_without_a_watcher_its_check_is_skipped() -> None:
    without = SETTINGS.model_copy(update={"watcher": Watcher(deletions=False)})
    (one,) = findings(watcher.CHECK, context(settings=without))
    assert (one.verdict, one.message) == (SKIPPED, "watcher.deletions and page.catalogue are false")


def test_events_that_have_to_be_forwarded_are_named_because_the_other_side_cannot_be_seen() -> None:
    registries = (*SETTINGS.registries, Registry(account="210987654321", region=REGION))
    more = SETTINGS.model_copy(update={"registries": registries})
    found = findings(watcher.CHECK, context(settings=more))
    assert [one.verdict for one in found] == [OK, OK, SKIPPED, OK, OK], found
    assert f"210987654321 in {REGION}" in found[2].message


def test_a_registry_of_another_account_is_skipped() -> None:
    (registry,) = SETTINGS.registries
    other = registry.model_copy(update={"account": "210987654321", "repositories": ("other/*",)})
    first, *rest = findings(iam.CHECK, context(settings=SETTINGS.model_copy(update={"registries": (registry, other)})))
    assert first.verdict is SKIPPED
    assert "210987654321" in first.message
    assert [one.verdict for one in rest] == [OK]


def test_the_rights_on_a_replica_are_those_on_its_registry() -> None:
    (registry,) = SETTINGS.registries
    replicas = (Replica(account="123456789012", region="ap-southeast-4"),)
    with_replica = SETTINGS.model_copy(update={"registries": (registry.model_copy(update={"replicas": replicas}),)})

    def decide(action: str, resource: str, *, there: str) -> str:
        if resource.endswith("/on-no-allow-list"):
            return "explicitDeny"
        if action in {*IMPORT, "ecr:PutImage"}:
            return "implicitDeny"
        return there if ":ap-southeast-4:" in resource else "allowed"

    for there, verdict in (("allowed", OK), ("implicitDeny", FAILED)):
        answer = deciding(partial(decide, there=there))
        (one,) = findings(iam.CHECK, context({"SimulatePrincipalPolicy": answer}, with_replica))
        assert one.verdict is verdict


def of_many(count: int) -> Settings:
    (registry,) = SETTINGS.registries
    names = tuple(f"team/app-{number}" for number in range(count))
    return SETTINGS.model_copy(update={"registries": (registry.model_copy(update={"repositories": names}),)})


@pytest.mark.parametrize(
    ("number", "action"), [(0, "ecr:BatchGetImage"), (77, "ecr:ListImages"), (499, "ecr:PutImage")]
)
def test_one_wrong_right_of_500_repositories_is_found_with_few_requests(number: int, action: str) -> None:
    assert [one.verdict for one in findings(iam.CHECK, context(settings=of_many(500)))] == [OK]

    def decide(asked: str, resource: str) -> str:
        right = decided_by(simulated(), asked, resource)
        is_wrong = (asked, resource.rpartition("/")[2]) == (action, f"app-{number}")
        return ("implicitDeny" if right == "allowed" else "allowed") if is_wrong else right

    given = context({"SimulatePrincipalPolicy": deciding(decide)}, of_many(500))
    (one,) = findings(iam.CHECK, given)
    assert one.verdict is FAILED
    assert re.findall(r"(ecr:\w+) on \S+/team/(app-\d+) is", one.message) == [(action, f"app-{number}")]
    asked = cast("FakeAws", given.aws).asked
    assert sum(name == "SimulatePrincipalPolicy" for name, _ in asked) < 40


def test_an_answer_for_several_repositories_that_names_none_of_them_is_not_taken_for_all() -> None:
    def answer(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        found: dict[str, Any] = simulated()(parameters)
        return {"EvaluationResults": [each | {"ResourceSpecificResults": []} for each in found["EvaluationResults"]]}

    (one,) = findings(iam.CHECK, context({"SimulatePrincipalPolicy": answer}, of_many(3)))
    assert one.verdict is OK


def lacking(action: str, name: str, *, always: bool) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """IAM's answers with a wrong decision on one pair, which those for several repositories do not have."""

    def answer(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        def decide(asked: str, resource: str) -> str:
            right = decided_by(simulated(), asked, resource)
            is_pair = (asked, resource.rpartition("/")[2]) == (action, name)
            return ("implicitDeny" if right == "allowed" else "allowed") if is_pair else right

        results = deciding(decide)(parameters)["EvaluationResults"]
        for result in results:
            if result["EvalActionName"] == action and len(parameters["ResourceArns"]) > 1:
                each = result["ResourceSpecificResults"]
                result["ResourceSpecificResults"] = [one for one in each if not one["EvalResourceName"].endswith(name)]
        alone = [arn.endswith(name) for arn in parameters["ResourceArns"]] == [True]
        left_out = action if always and alone else None
        return {"EvaluationResults": [result for result in results if result["EvalActionName"] != left_out]}

    return answer


@pytest.mark.parametrize("action", ["ecr:BatchGetImage", "ecr:PutImage", IMPORT[0]])
def test_an_answer_that_names_a_repository_for_some_actions_is_completed(action: str) -> None:
    given = context({"SimulatePrincipalPolicy": lacking(action, "app-1", always=False)}, of_many(3))
    (one,) = findings(iam.CHECK, given)
    assert one.verdict is FAILED
    assert re.findall(r"(ecr:\w+) on \S+/team/(app-\d+) is", one.message) == [(action, "app-1")]
    alone = [asked for _, asked in cast("FakeAws", given.aws).asked if len(asked.get("ResourceArns", ())) == 1]
    assert [asked["ActionNames"] for asked in alone if asked["ResourceArns"][0].endswith("app-1")] == [[action]]


@pytest.mark.parametrize(
    ("action", "name"),
    [("ecr:BatchGetImage", "app-1"), ("ecr:PutImage", "app-1"), ("ecr:BatchGetImage", "on-no-allow-list")],
)
def test_a_right_of_which_iam_says_nothing_is_taken_neither_for_right_nor_for_wrong(action: str, name: str) -> None:
    (one,) = findings(iam.CHECK, context({"SimulatePrincipalPolicy": lacking(action, name, always=True)}, of_many(3)))
    assert (one.verdict, one.hint) == (WARNING, "run the doctor again")
    assert one.message.startswith("IAM's simulation does not say whether the Lambda's role may use ")
    assert re.findall(r"(ecr:\w+) on \S+/([\w-]+)(?=;|$)", one.message) == [(action, name)]


def test_a_wrong_right_is_reported_beside_one_of_which_iam_says_nothing() -> None:
    silent = lacking("ecr:PutImage", "app-1", always=True)

    def answer(parameters: Mapping[str, Any]) -> dict[str, Any]:
        results = silent(parameters)["EvaluationResults"]
        for each in results:
            if each["EvalActionName"] == "ecr:GetAuthorizationToken":
                each["EvalDecision"] = "implicitDeny"
        return {"EvaluationResults": results}

    found = findings(iam.CHECK, context({"SimulatePrincipalPolicy": answer}, of_many(3)))
    assert [one.verdict for one in found] == [FAILED, WARNING]
    assert "ecr:GetAuthorizationToken on * is implicitDeny" in found[0].message
    assert "PutImage" not in found[0].message


def decided_by(answer: Callable[[Mapping[str, Any]], dict[str, Any]], action: str, resource: str) -> str:
    (result,) = answer({"ActionNames": [action], "ResourceArns": [resource]})["EvaluationResults"]
    return str(result["EvalDecision"])


def test_a_first_deployment_that_failed_before_the_schedule_is_reported_once() -> None:
    first, _ = findings(schedule.CHECK, context(without="Schedule83A77FD1"))
    assert first.verdict is SKIPPED
    assert "refresh" in first.message


def test_alarms_without_a_recipient_are_mentioned() -> None:
    silent = SETTINGS.model_copy(update={"alarms": SETTINGS.alarms.model_copy(update={"emails": ()})})
    *_, last = findings(alarms.CHECK, context(settings=silent))
    assert last.verdict is SKIPPED
    assert "[alarms]" in last.message


def test_a_check_of_something_that_the_settings_lack_finds_nothing() -> None:
    without = {
        "proxy": SETTINGS.proxy.model_copy(update={"exposure": ServiceExposure(kind="service")}),
        "canary": None,
        "endpoints": SETTINGS.endpoints.model_copy(update={"create": (), "existing": ()}),
    }
    plain = context(settings=SETTINGS.model_copy(update=without))
    for check in (load_balancer.CHECK, endpoints.CHECK):
        assert findings(check, plain) == []
    assert len(findings(schedule.CHECK, plain)) == 1


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_a_refusal_of_aws_is_a_warning_that_names_its_error_code(check: Check) -> None:
    stack_answers = {name: context().aws.answers[name] for name in ("DescribeStacks", "ListStackResources")}  # type: ignore[attr-defined]  # FakeAws
    refused = dict.fromkeys(context().aws.answers, "AccessDenied") | stack_answers  # type: ignore[attr-defined]  # FakeAws
    (one,) = findings(check, context(refused))
    assert (one.check, one.verdict, one.fatal) == (check.id, WARNING, True)
    assert "AccessDenied" in one.message
    assert "docs/operations.md" in one.hint


def test_every_request_is_for_the_stack_of_the_settings() -> None:
    given = context()
    list(examine([stack.CHECK, *CHECKS.values()], given))
    asked = dict(given.aws.asked)  # type: ignore[attr-defined]  # FakeAws
    assert asked["DescribeStacks"] == {"StackName": "ecr-frontdoor-shared-registry"}
    assert asked["GetSchedule"] == {"Name": "canary", "GroupName": "group"}
    assert asked["DescribeLoadBalancers"] == {"LoadBalancerArns": [BALANCER]}
    groups = [arguments["TargetGroupArn"] for name, arguments in given.aws.asked if name == "DescribeTargetHealth"]  # type: ignore[attr-defined]  # FakeAws
    assert groups == [TARGETS, PROXIED]
    assert asked["DescribeTargetGroupAttributes"] == {"TargetGroupArn": PROXIED}


def test_the_answers_of_moto_for_a_load_balancer_are_understood() -> None:
    with mock_aws():
        session = boto3.Session("AKIAFAKE", "fake", region_name=REGION)
        ec2, elb = session.client("ec2"), session.client("elbv2")
        vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.0.0/24")["Subnet"]["SubnetId"]
        made = elb.create_load_balancer(Name="front", Type="network", Scheme="internal", Subnets=[subnet])
        group = elb.create_target_group(Name="pods", Protocol="TCP", Port=443, VpcId=vpc, TargetType="ip")
        balancer_arn = made["LoadBalancers"][0]["LoadBalancerArn"]
        group_arn = group["TargetGroups"][0]["TargetGroupArn"]
        kinds = (LOAD_BALANCER, TARGET_GROUP)
        given = CheckContext(settings=SETTINGS, aws=session)
        ids = tuple(zip(kinds, kinds, (balancer_arn, group_arn), strict=True))
        given.__dict__["stack"] = StackResources("CREATE_COMPLETE", ids)
        empty = findings(load_balancer.CHECK, given)
        elb.register_targets(TargetGroupArn=group_arn, Targets=[{"Id": f"10.1.0.{n}", "Port": 8080} for n in (7, 8)])
        full = findings(load_balancer.CHECK, given)
        elb.delete_load_balancer(LoadBalancerArn=balancer_arn)
        elb.delete_target_group(TargetGroupArn=group_arn)
        deleted = findings(load_balancer.CHECK, given)
    assert [one.verdict for one in empty][1] is FAILED
    assert full[1].verdict is OK
    assert "2 of 2" in full[1].message
    assert [one.verdict for one in deleted] == [FAILED, FAILED]


def test_the_rules_are_read_where_the_exclusions_are_refused() -> None:
    policy = lifecycle_policy(EXPIRE, "sinceImagePulled")
    given = context({"GetLifecyclePolicy": policy, "ListPullTimeUpdateExclusions": "AccessDeniedException"})
    found = findings(lifecycle.CHECK, given)
    assert [finding.verdict for finding in found] == [WARNING, SKIPPED]
    assert "will expire" in found[0].message
    assert "AccessDeniedException" in found[1].message


def test_a_rule_that_looks_at_pushes_is_no_finding() -> None:
    given = context({"GetLifecyclePolicy": lifecycle_policy(EXPIRE, "sinceImagePushed")})
    assert [one.verdict for one in findings(lifecycle.CHECK, given)] == [OK]


@pytest.mark.parametrize(("catalogue", "excluded", "expected"), [(True, False, 1), (True, True, 0), (False, False, 0)])
def test_reads_for_the_catalogue_that_count_as_pulls_are_a_warning(
    *, catalogue: bool, excluded: bool, expected: int
) -> None:
    usual: Any = healthy()["GetRole"]
    prefix = "arn:aws:iam::123456789012:role/"
    reader = f"{prefix}watcher-role"
    answers: dict[str, Answer] = {
        "GetRole": lambda asked: {"Role": {**usual["Role"], "Arn": f"{prefix}{asked['RoleName']}"}},
        "ListPullTimeUpdateExclusions": {"pullTimeUpdateExclusions": [reader] if excluded else []},
    }
    given = context(answers, SETTINGS.model_copy(update={"page": Page(catalogue=catalogue)}))
    found = [one for one in findings(lifecycle.CHECK, given) if one.verdict is WARNING]
    assert len(found) == expected
    fix = f"aws ecr register-pull-time-update-exclusion --region ap-southeast-2 --principal-arn {reader}"
    assert [one.hint for one in found] == [fix] * expected


def test_a_repository_that_is_deleted_while_its_rules_are_read_has_none() -> None:
    given = context({"GetLifecyclePolicy": "RepositoryNotFoundException"})
    assert [one.verdict for one in findings(lifecycle.CHECK, given)] == [OK]


def test_the_lifecycle_policies_of_another_account_are_skipped() -> None:
    (registry,) = SETTINGS.registries
    other = registry.model_copy(update={"account": "210987654321"})
    (one,) = findings(lifecycle.CHECK, context(settings=SETTINGS.model_copy(update={"registries": (other,)})))
    assert (one.verdict, "210987654321" in one.message) == (SKIPPED, True)
