"""What is wrong in AWS, row by row, against answers in the shapes of AWS's own service models."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import boto3
import pytest
from moto import mock_aws

from cli.doctor import access, account, alarms, endpoints, failures, function, load_balancer, rights, schedules, stack
from cli.doctor.asking import asked
from cli.doctor.finding import Finding, Verdict
from cli.doctor.site import Site
from cli.doctor.stack import Resources
from lambda_fn.settings import Refresh, ServiceExposure, to_environment
from tests.fakes.aws import REGION, Answer, FakeAws
from tests.unit.doctor.account import (
    BALANCER,
    SETTINGS,
    TARGETS,
    alarm,
    balancer,
    found,
    simulated,
    site,
    subscribed,
    target,
    targets,
)
from tests.unit.doctor.account import endpoints as vpc_endpoints

OK, WARNING, FAILED, SKIPPED = Verdict.OK, Verdict.WARNING, Verdict.FAILED, Verdict.SKIPPED
Part = Callable[[Site, Resources], Iterator[Finding]]
OTHER_PERIOD = SETTINGS.model_copy(update={"refresh": Refresh(period_minutes=120, rollout_timeout_seconds=780)})
REMAKE = "delete the stack (make destroy) and deploy it again"


class Broken(NamedTuple):
    """One answer of AWS's that is not as in health, and the finding that says so."""

    part: Part
    answers: Mapping[str, Answer]
    verdict: Verdict
    said: str
    way_out: str


def environment(variables: Mapping[str, str]) -> dict[str, Any]:
    return {"GetFunctionConfiguration": {"State": "Active", "Environment": {"Variables": dict(variables)}}}


def schedule(expression: str, state: str = "ENABLED") -> dict[str, Any]:
    return {"GetSchedule": {"ScheduleExpression": expression, "State": state}}


def refreshes(site: Site, found: Resources) -> Iterator[Finding]:
    yield next(schedules.examine(site, found))


def canaries(site: Site, found: Resources) -> Iterator[Finding]:
    yield list(schedules.examine(site, found))[1]


BROKEN = {
    "other settings": Broken(
        function.examine,
        environment(to_environment(OTHER_PERIOD)),
        WARNING,
        "refresher runs with other settings than this file: refresh.period_minutes",
        "--config PATH",
    ),
    "settings of another version": Broken(
        function.examine, environment({"FRONTDOOR_SETTINGS": '{"new": 1}'}), WARNING, "does not know", "deploy"
    ),
    "a function that cannot run": Broken(
        function.examine,
        {
            "GetFunctionConfiguration": {
                "State": "Failed",
                "StateReason": "The subnet is gone",
                "Environment": {"Variables": to_environment(SETTINGS)},
            }
        },
        FAILED,
        "refresher cannot run: The subnet is gone",
        "subnets",
    ),
    "a function that is gone": Broken(
        function.examine, {"GetFunctionConfiguration": "ResourceNotFoundException"}, FAILED, "refresher is gone", REMAKE
    ),
    "a role that is gone": Broken(
        rights.examine, {"GetRole": "NoSuchEntity"}, FAILED, "the Lambda's role refresher-role is gone", REMAKE
    ),
    "a role of kubectl's that is gone": Broken(
        access.examine, {"GetRole": "NoSuchEntity"}, FAILED, "the deployment's kubectl, kubectl-role, is gone", REMAKE
    ),
    "a role that may push": Broken(
        rights.examine,
        {"SimulatePrincipalPolicy": simulated(push="allowed")},
        FAILED,
        "ecr:PutImage on arn:aws:ecr:ap-southeast-2:123456789012:repository/team/x is allowed",
        "permissions boundary",
    ),
    "a role that may not pull": Broken(
        rights.examine,
        {"SimulatePrincipalPolicy": simulated(pull="implicitDeny")},
        FAILED,
        "ecr:BatchGetImage on arn:aws:ecr:ap-southeast-2:123456789012:repository/team/x is implicitDeny",
        "permissions boundary",
    ),
    "a token that opens what another policy opens": Broken(
        rights.examine,
        {"SimulatePrincipalPolicy": simulated(outside="implicitDeny")},
        FAILED,
        "the token opens more than the settings say: ecr:BatchCheckLayerAvailability on arn:aws:ecr:",
        "deploy",
    ),
    "a cluster that knows only aws-auth": Broken(
        access.examine,
        {"DescribeCluster": {"cluster": {"accessConfig": {"authenticationMode": "CONFIG_MAP"}}}},
        FAILED,
        "cluster shared has authentication mode CONFIG_MAP",
        "A cluster that knows only aws-auth",
    ),
    "no access entry": Broken(
        access.examine,
        {"DescribeAccessEntry": "ResourceNotFoundException"},
        FAILED,
        "cluster shared has none for the role of the Lambda",
        "aws eks create-access-entry --region ap-southeast-2 --cluster-name shared",
    ),
    "an access entry of another group": Broken(
        access.examine,
        {"DescribeAccessEntry": {"accessEntry": {"kubernetesGroups": [SETTINGS.refresher_group]}}},
        FAILED,
        "the role of the deployment's kubectl is in ecr-frontdoor:refresher:registry, not in ecr-frontdoor:depl",
        "--kubernetes-groups ecr-frontdoor:deployer:registry",
    ),
    "a disabled refresh": Broken(
        refreshes,
        schedule("rate(240 minutes)", "DISABLED"),
        FAILED,
        "the refresh's schedule refresh is disabled: nothing renews the token, which dies",
        "enable it",
    ),
    "a refresh without a schedule": Broken(
        refreshes, {"GetSchedule": "ResourceNotFoundException"}, FAILED, "schedule refresh is gone", "make it again"
    ),
    "a refresh at other times": Broken(
        refreshes, schedule("rate(1 days)"), WARNING, "runs at rate(1 days), and this file says every 240", "change it"
    ),
    "a disabled canary": Broken(
        canaries,
        schedule("rate(15 minutes)", "DISABLED"),
        WARNING,
        "the canary's schedule canary is disabled: between two refreshes nobody looks at the registry from outside",
        "enable it",
    ),
    "a canary without a schedule": Broken(
        canaries, {"GetSchedule": "ResourceNotFoundException"}, WARNING, "schedule canary is gone", "make it again"
    ),
    "a failed run": Broken(
        failures.examine,
        {"GetQueueAttributes": {"Attributes": {"ApproximateNumberOfMessages": "2"}}},
        WARNING,
        "2 failed run(s) in failures",
        "FailureQueued",
    ),
    "a queue that is gone": Broken(
        failures.examine,
        {"GetQueueAttributes": "AWS.SimpleQueueService.NonExistentQueue"},
        FAILED,
        "the queue failures is gone",
        REMAKE,
    ),
    "a raised alarm": Broken(
        alarms.examine,
        {"DescribeAlarms": alarm(StateValue="ALARM")},
        WARNING,
        "RefreshFailed is raised",
        "A run failed.",
    ),
    "an alarm that is switched off": Broken(
        alarms.examine,
        {"DescribeAlarms": alarm(ActionsEnabled=False)},
        WARNING,
        "RefreshFailed is switched off and tells nobody",
        "enable-alarm-actions --region ap-southeast-2 --alarm-names RefreshFailed",
    ),
    "an alarm that is gone": Broken(
        alarms.examine, {"DescribeAlarms": {"MetricAlarms": []}}, WARNING, "RefreshFailed is gone", "make it again"
    ),
    "mail that nobody confirmed": Broken(
        alarms.examine,
        {"ListSubscriptionsByTopic": subscribed("PendingConfirmation")},
        WARNING,
        "ops@example.net has not confirmed",
        "aws sns subscribe --protocol email --region ap-southeast-2 --topic-arn",
    ),
    "a load balancer that is gone": Broken(
        load_balancer.examine, {"DescribeLoadBalancers": "LoadBalancerNotFound"}, FAILED, "front is gone", "deploy"
    ),
    "a load balancer that failed": Broken(
        load_balancer.examine,
        {"DescribeLoadBalancers": balancer("failed", "no free address")},
        FAILED,
        "front is failed (no free address)",
        "free addresses",
    ),
    "a load balancer that cannot grow": Broken(
        load_balancer.examine, {"DescribeLoadBalancers": balancer("active_impaired")}, WARNING, "impaired", "grow"
    ),
    "a load balancer in the making": Broken(
        load_balancer.examine, {"DescribeLoadBalancers": balancer("provisioning")}, WARNING, "provisioning", "wait"
    ),
    "a target group that is gone": Broken(
        load_balancer.examine, {"DescribeTargetHealth": "TargetGroupNotFound"}, FAILED, f"{TARGETS} is gone", "deploy"
    ),
    "no registered pod": Broken(
        load_balancer.examine,
        {"DescribeTargetHealth": targets(target("draining"))},
        FAILED,
        "no pod is registered behind it",
        "AWS Load Balancer Controller",
    ),
    "pods that are not healthy": Broken(
        load_balancer.examine,
        {
            "DescribeTargetHealth": targets(
                target("unhealthy", "Target.Timeout", "Request timed out"),
                target("unhealthy", "Target.Timeout", "Request timed out"),
            )
        },
        FAILED,
        "0 of 2 registered pods are healthy: 2 unhealthy (Target.Timeout) (Request timed out)",
        "security groups",
    ),
    "a pod that is not healthy": Broken(
        load_balancer.examine,
        {"DescribeTargetHealth": targets(target("healthy"), target("initial", "Elb.RegistrationInProgress"))},
        WARNING,
        "1 of 2 registered pods are healthy: 1 initial (Elb.RegistrationInProgress)",
        "security groups",
    ),
    "a pod that is not registered": Broken(
        load_balancer.examine,
        {"DescribeTargetHealth": targets(target("healthy"))},
        WARNING,
        "1 of 1 registered pods are healthy, and 2 are wanted",
        "AWS Load Balancer Controller",
    ),
    "an endpoint of the stack's that is gone": Broken(
        endpoints.examine,
        {"DescribeVpcEndpoints": vpc_endpoints("failed")},
        FAILED,
        "ecr.dkr in vpc-0a1b2c3d4e5f60718 is failed",
        "deploy",
    ),
    "an endpoint that is not there": Broken(
        endpoints.examine,
        {"DescribeVpcEndpoints": {"VpcEndpoints": vpc_endpoints()["VpcEndpoints"][1:]}},
        WARNING,
        "ecr.api in vpc-0a1b2c3d4e5f60718 is missing",
        "endpoints.existing",
    ),
    "an endpoint that no name leads to": Broken(
        endpoints.examine,
        {"DescribeVpcEndpoints": vpc_endpoints(private_dns=False)},
        WARNING,
        "ecr.dkr in vpc-0a1b2c3d4e5f60718 has no private DNS",
        "private DNS",
    ),
}  # fmt: skip
PARTS = {f"{case.part.__module__}.{case.part.__name__}": case.part for case in BROKEN.values()}


@pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_one_finding_that_says_how_to_mend_it(case: Broken) -> None:
    (one,) = [
        finding
        for finding in case.part(site(case.answers), found())
        if finding.verdict is not OK and case.said in finding.said
    ]
    assert one.verdict is case.verdict
    assert case.way_out
    assert case.way_out in one.way_out
    assert "\n" not in one.line


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_in_health_every_part_has_good_findings_and_no_others(part: Part) -> None:
    answers = schedule("rate(15 minutes)") if part is canaries else {}
    findings = list(part(site(answers), found()))
    assert [finding.verdict for finding in findings] == [OK] * len(findings) != []


@pytest.mark.parametrize(
    ("status", "verdict", "way_out"),
    [
        ("CREATE_COMPLETE", OK, ""),
        ("UPDATE_COMPLETE", OK, ""),
        ("UPDATE_IN_PROGRESS", WARNING, "wait"),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", WARNING, "wait"),
        ("UPDATE_ROLLBACK_COMPLETE", WARNING, "deploy again"),
        ("REVIEW_IN_PROGRESS", FAILED, "nothing deployed: deploy"),
        ("ROLLBACK_COMPLETE", FAILED, "delete the stack (make destroy) and deploy"),
        ("CREATE_FAILED", FAILED, "delete the stack (make destroy) and deploy"),
        ("UPDATE_ROLLBACK_FAILED", FAILED, "continue-update-rollback --region r --stack-name s"),
        ("DELETE_FAILED", FAILED, "delete it again"),
    ],
)
def test_the_state_of_the_stack_says_what_to_do(status: str, verdict: Verdict, way_out: str) -> None:
    one = stack.status("s", "r", Resources(status, ()))
    assert one.verdict is verdict
    assert way_out in one.way_out


def test_a_stack_that_is_not_there_is_looked_for_where_the_operator_is() -> None:
    *_, last = account.examine(site({"DescribeStacks": "ValidationError: Stack with id s does not exist"}))
    assert last.said == "there is no stack ecr-frontdoor-shared-registry in ap-southeast-2 of account 123456789012"
    assert last.verdict is FAILED


@pytest.mark.parametrize(
    ("without", "part", "verdict"),
    [
        ("ScheduleCanary1", canaries, WARNING),
        ("RefresherFunction1", function.examine, FAILED),
        ("LoadBalancerNlb1", load_balancer.examine, FAILED),
    ],
)
def test_what_the_stack_does_not_hold_is_to_be_deployed(without: str, part: Part, verdict: Verdict) -> None:
    (one,) = [finding for finding in part(site(), found(without=without)) if finding.verdict is not OK]
    assert (one.verdict, one.way_out) == (verdict, "deploy")


@pytest.mark.parametrize("opened", ["*", "ecr-*"])
def test_where_everything_is_open_nothing_is_looked_for_outside(opened: str) -> None:
    (registry,) = SETTINGS.registries
    wide = SETTINGS.model_copy(update={"registries": (registry.model_copy(update={"repositories": (opened,)}),)})
    where = site({"SimulatePrincipalPolicy": simulated(outside="implicitDeny")}, wide)
    assert [one.verdict for one in rights.examine(where, found())] == [OK]


def test_a_stack_that_failed_before_it_made_its_schedule_is_not_told_so_twice() -> None:
    first, _ = schedules.examine(site(), found(without="Schedule83A77FD1"))
    assert (first.verdict, first.said[:36]) == (SKIPPED, "the stack lists none for the refresh")


def test_alarms_that_nobody_hears_of_are_mentioned() -> None:
    silent = SETTINGS.model_copy(update={"alarms": SETTINGS.alarms.model_copy(update={"emails": ()})})
    *_, last = alarms.examine(site(settings=silent), found())
    assert (last.verdict, last.said[:16]) == (SKIPPED, "they tell nobody")


def test_what_the_settings_do_not_have_is_not_asked_for() -> None:
    proxy = SETTINGS.proxy.model_copy(update={"exposure": ServiceExposure(kind="service")})
    without = {
        "proxy": proxy,
        "canary": None,
        "endpoints": SETTINGS.endpoints.model_copy(update={"create": (), "existing": ()}),
    }
    plain = site(settings=SETTINGS.model_copy(update=without))
    for part in (load_balancer.examine, endpoints.examine):
        assert list(part(plain, found())) == []
    assert len(list(schedules.examine(plain, found()))) == 1


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_a_refusal_is_a_warning_that_quotes_aws_and_no_blob(part: Part) -> None:
    refused = dict.fromkeys(site().aws.answers, "AccessDenied")  # type: ignore[attr-defined]  # FakeAws
    (one,) = asked("check", part(site(refused), found()))
    assert one.verdict is WARNING
    assert "AccessDenied" in one.said
    assert "docs/operations.md" in one.way_out


def test_everything_is_asked_of_the_stack_the_settings_name() -> None:
    aws = FakeAws(site().aws.answers)  # type: ignore[attr-defined]  # FakeAws
    list(account.examine(Site(settings=SETTINGS, aws=aws)))
    asked_for = dict(aws.asked)
    assert asked_for["DescribeStacks"] == {"StackName": "ecr-frontdoor-shared-registry"}
    assert asked_for["GetSchedule"] == {"Name": "canary", "GroupName": "group"}
    assert asked_for["DescribeLoadBalancers"] == {"LoadBalancerArns": [BALANCER]}
    assert asked_for["DescribeTargetHealth"] == {"TargetGroupArn": TARGETS}


def test_a_load_balancer_of_moto_is_read_as_it_is() -> None:
    with mock_aws():
        aws = boto3.Session("AKIAFAKE", "fake", region_name=REGION)
        ec2, elb = aws.client("ec2"), aws.client("elbv2")
        vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.0.0/24")["Subnet"]["SubnetId"]
        made = elb.create_load_balancer(Name="front", Type="network", Scheme="internal", Subnets=[subnet])
        group = elb.create_target_group(Name="pods", Protocol="TCP", Port=443, VpcId=vpc, TargetType="ip")
        balancer_arn = made["LoadBalancers"][0]["LoadBalancerArn"]
        group_arn = group["TargetGroups"][0]["TargetGroupArn"]
        kinds = (load_balancer.BALANCER, load_balancer.TARGET_GROUP)
        there = Resources("CREATE_COMPLETE", tuple(zip(kinds, kinds, (balancer_arn, group_arn), strict=True)))
        where = Site(settings=SETTINGS, aws=aws)
        empty = list(load_balancer.examine(where, there))
        elb.register_targets(TargetGroupArn=group_arn, Targets=[{"Id": f"10.1.0.{n}", "Port": 8080} for n in (7, 8)])
        full = list(load_balancer.examine(where, there))
        elb.delete_load_balancer(LoadBalancerArn=balancer_arn)
        elb.delete_target_group(TargetGroupArn=group_arn)
        gone = list(load_balancer.examine(where, there))
    assert [one.verdict for one in empty][1] is FAILED
    assert full[1].said == "2 of 2 registered pods are healthy"
    assert [one.verdict for one in gone] == [FAILED, FAILED]
    assert [one.said.partition(" is gone")[1] for one in gone] == [" is gone"] * 2
