"""A front door with everything the doctor looks at in AWS, in health: its settings and AWS's answers."""

from collections.abc import Callable, Mapping
from typing import Any

from cli.doctor.site import Site
from cli.doctor.stack import Resources
from lambda_fn.settings import Settings, parse_toml, to_environment
from stacks import ecr_actions
from tests.fakes.aws import REGION, Answer, FakeAws

SETTINGS = parse_toml(
    """
    domain = "registry.example.net"
    manifests = "namespaced"

    [cluster]
    name = "shared"
    region = "ap-southeast-2"
    vpc_id = "vpc-0a1b2c3d4e5f60718"
    subnet_ids = ["subnet-0a1b2c3d4e5f60718"]
    security_group_id = "sg-0a1b2c3d4e5f60718"

    [[registries]]
    account = "123456789012"
    region = "ap-southeast-2"
    repositories = ["team/*"]

    [refresh]
    rollout_timeout_seconds = 780

    [proxy.exposure]
    kind = "nlb"
    certificate_arn = "arn:aws:acm:ap-southeast-2:123456789012:certificate/12345678-1234-1234-1234-123456789012"
    subnets = { subnet-0a1b2c3d4e5f60718 = "10.1.0.0/24" }

    [endpoints]
    create = ["ecr.dkr"]
    existing = ["ecr.api"]

    [canary]
    repository = "team/canary"
    reference = "latest"

    [alarms]
    emails = ["ops@example.net"]
    """,
    "the doctor's tests",
)

_ELB = f"arn:aws:elasticloadbalancing:{REGION}:123456789012"
TOPIC = f"arn:aws:sns:{REGION}:123456789012:notices"
BALANCER = f"{_ELB}:loadbalancer/net/front/0123456789abcdef"
TARGETS = f"{_ELB}:targetgroup/pods/0123456789abcdef"

RESOURCES = (
    ("AWS::Lambda::Function", "RefresherFunction1", "refresher"),
    ("AWS::IAM::Role", "IdentityRole1", "refresher-role"),
    ("AWS::IAM::Role", "WorkloadRole1", "kubectl-role"),
    ("AWS::Scheduler::ScheduleGroup", "ScheduleGroup1", "group"),
    ("AWS::Scheduler::Schedule", "Schedule83A77FD1", "refresh"),
    ("AWS::Scheduler::Schedule", "ScheduleCanary1", "canary"),
    ("AWS::SQS::Queue", "FailuresQueue1", f"https://sqs.{REGION}.amazonaws.com/123456789012/failures"),
    ("AWS::CloudWatch::Alarm", "AlarmsRefreshFailed1", "RefreshFailed"),
    ("AWS::SNS::Topic", "NoticesTopic1", TOPIC),
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", "LoadBalancerNlb1", BALANCER),
    ("AWS::ElasticLoadBalancingV2::TargetGroup", "LoadBalancerPods1", TARGETS),
)


def site(answers: Mapping[str, Answer] | None = None, settings: Settings = SETTINGS) -> Site:
    """The front door in health, but for these answers."""
    return Site(settings=settings, aws=FakeAws(healthy() | dict(answers or {})))


def found(*, without: str = "") -> Resources:
    """What the stack made, but for one logical id."""
    return Resources("UPDATE_COMPLETE", tuple(one for one in RESOURCES if one[1] != without))


def stack(status: str = "UPDATE_COMPLETE") -> dict[str, Any]:
    return {"Stacks": [{"StackName": "s", "CreationTime": "2026-01-01T00:00:00Z", "StackStatus": status}]}


def alarm(**changed: object) -> dict[str, Any]:
    usual = {"AlarmName": "RefreshFailed", "StateValue": "OK", "ActionsEnabled": True}
    return {"MetricAlarms": [usual | {"AlarmDescription": "A run failed."} | changed]}


def target(state: str, reason: str | None = None, description: str | None = None) -> dict[str, Any]:
    health = {"State": state} | ({"Reason": reason} if reason else {})
    return {
        "Target": {"Id": "10.1.0.7"},
        "TargetHealth": health | ({"Description": description} if description else {}),
    }


def targets(*listed: dict[str, Any]) -> dict[str, Any]:
    return {"TargetHealthDescriptions": list(listed)}


def balancer(state: str, reason: str | None = None) -> dict[str, Any]:
    return {"LoadBalancers": [{"State": {"Code": state} | ({"Reason": reason} if reason else {})}]}


def endpoints(state: str = "available", *, private_dns: bool = True) -> dict[str, Any]:
    usual = {"VpcEndpointType": "Interface", "State": "available", "PrivateDnsEnabled": True}
    named = [{"ServiceName": f"com.amazonaws.{REGION}.{service}"} for service in ("ecr.api", "ecr.dkr")]
    return {"VpcEndpoints": [usual | named[0], usual | named[1] | {"State": state, "PrivateDnsEnabled": private_dns}]}


def subscribed(arn: str = f"{TOPIC}:1") -> dict[str, Any]:
    return {"Subscriptions": [{"Endpoint": "ops@example.net", "Protocol": "email", "SubscriptionArn": arn}]}


def simulated(
    *, pull: str = "allowed", push: str = "implicitDeny", outside: str = "explicitDeny"
) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """IAM's decisions: on what the settings open, of a push there, and on every other repository."""

    def answer(question: Mapping[str, Any]) -> dict[str, Any]:
        (resource,) = question["ResourceArns"]
        opened = not resource.endswith("/on-no-allow-list")
        decided = {
            name: outside if not opened else pull if name in {*ecr_actions.PULL, "ecr:GetAuthorizationToken"} else push
            for name in question["ActionNames"]
        }
        return {
            "EvaluationResults": [
                {"EvalActionName": name, "EvalDecision": decision} for name, decision in decided.items()
            ]
        }

    return answer


def healthy() -> dict[str, Answer]:
    """An answer to everything that is asked."""
    summaries = [
        {
            "ResourceType": kind,
            "LogicalResourceId": logical,
            "PhysicalResourceId": physical,
            "ResourceStatus": "CREATE_COMPLETE",
            "LastUpdatedTimestamp": "2026-01-01T00:00:00Z",
        }
        for kind, logical, physical in RESOURCES
    ]
    role = {
        "Path": "/",
        "RoleName": "role",
        "RoleId": "AROA0123456789012345",
        "Arn": "arn:aws:iam::123456789012:role/role",
        "CreateDate": "2026-01-01T00:00:00Z",
    }
    return {
        "GetCallerIdentity": {"Arn": "arn:aws:iam::123456789012:user/operator", "Account": "123456789012"},
        "DescribeStacks": stack(),
        "ListStackResources": {"StackResourceSummaries": summaries},
        "GetFunctionConfiguration": {"State": "Active", "Environment": {"Variables": to_environment(SETTINGS)}},
        "GetRole": {"Role": role},
        "SimulatePrincipalPolicy": simulated(),
        "DescribeCluster": {"cluster": {"accessConfig": {"authenticationMode": "API_AND_CONFIG_MAP"}}},
        "DescribeAccessEntry": {
            "accessEntry": {"kubernetesGroups": [SETTINGS.refresher_group, "ecr-frontdoor:deployer:registry"]}
        },
        "GetSchedule": {"ScheduleExpression": "rate(240 minutes)", "State": "ENABLED"},
        "GetQueueAttributes": {"Attributes": {"ApproximateNumberOfMessages": "0"}},
        "DescribeAlarms": alarm(),
        "ListSubscriptionsByTopic": subscribed(),
        "DescribeLoadBalancers": balancer("active"),
        "DescribeTargetHealth": targets(target("healthy"), target("healthy")),
        "DescribeVpcEndpoints": endpoints(),
    }
