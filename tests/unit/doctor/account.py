"""A healthy front door with everything that the doctor reads in AWS: its settings and the answers of AWS."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from cli.doctor.check import Check
from cli.doctor.context import CheckContext
from cli.doctor.examination import run
from cli.doctor.finding import Finding
from cli.doctor.kubernetes import Kubernetes
from k8s_manifests.exposures import TargetGroups
from lambda_fn.contract.runtime import SETTINGS_METADATA
from lambda_fn.settings import Settings, parse_toml, to_json
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
PROXIED = f"{_ELB}:targetgroup/proxied/0123456789abcdef"
SOURCE, SOURCE_OF_DELETIONS = "11111111-2222-3333-4444-555555555555", "11111111-2222-3333-4444-666666666666"
RECEIVING = {"State": "Enabled", "LastProcessingResult": "No records processed"}
GROUPS = TargetGroups(TARGETS, PROXIED)

RESOURCES = (
    ("AWS::Lambda::Function", "RefresherFunction1", "refresher"),
    ("AWS::IAM::Role", "IdentityRole1", "refresher-role"),
    ("AWS::IAM::Role", "WorkloadRole1", "kubectl-role"),
    ("AWS::Lambda::Function", "WatcherFunction1", "watcher"),
    ("AWS::IAM::Role", "WatcherIdentityRole1", "watcher-role"),
    ("AWS::Events::Rule", "WatcherEventsRule1", "rule"),
    ("AWS::Events::Rule", "WatcherDeletionsRule1", "rule-of-deletions"),
    ("AWS::Events::Rule", "FirstRunAfterRollback1", "after-rollback"),
    ("AWS::Lambda::EventSourceMapping", "WatcherSource1", SOURCE),
    ("AWS::Lambda::EventSourceMapping", "WatcherSourceOfDeletions1", SOURCE_OF_DELETIONS),
    ("AWS::SQS::Queue", "WatcherEventsQueue1", f"https://sqs.{REGION}.amazonaws.com/123456789012/events"),
    ("AWS::SQS::Queue", "WatcherDeletionsQueue1", f"https://sqs.{REGION}.amazonaws.com/123456789012/deletions"),
    ("AWS::SQS::Queue", "WatcherEventsFailuresQueue1", f"https://sqs.{REGION}.amazonaws.com/123456789012/events-dlq"),
    ("AWS::Scheduler::ScheduleGroup", "ScheduleGroup1", "group"),
    ("AWS::Scheduler::Schedule", "Schedule83A77FD1", "refresh"),
    ("AWS::Scheduler::Schedule", "ScheduleCanary1", "canary"),
    ("AWS::SQS::Queue", "FailuresQueue1", f"https://sqs.{REGION}.amazonaws.com/123456789012/failures"),
    ("AWS::CloudWatch::Alarm", "AlarmsRefreshFailed1", "RefreshFailed"),
    ("AWS::SNS::Topic", "NoticesTopic1", TOPIC),
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", "LoadBalancerNlb1", BALANCER),
    ("AWS::ElasticLoadBalancingV2::TargetGroup", "LoadBalancerPods1", TARGETS),
    ("AWS::ElasticLoadBalancingV2::TargetGroup", "LoadBalancerProxyProtocol1", PROXIED),
)


def context(
    answers: Mapping[str, Answer] | None = None, settings: Settings = SETTINGS, *, without: str = ""
) -> CheckContext:
    """The healthy front door, but for these answers, and without one logical id in its stack."""
    return CheckContext(settings=settings, aws=FakeAws(healthy(without) | dict(answers or {})))


def with_cluster(given: CheckContext, kubernetes: Kubernetes) -> CheckContext:
    """`given`, connected to this cluster."""
    given.__dict__["kubernetes"] = kubernetes  # where cached_property keeps its value
    return given


def findings(check: Check, given: CheckContext) -> list[Finding]:
    """The findings of one check."""
    return list(run(check, given))


def template(settings: str) -> dict[str, Any]:
    """The stack's template, with what the function's resource says of its settings."""
    function = {"Type": "AWS::Lambda::Function", "Metadata": {SETTINGS_METADATA: settings}}
    return {"TemplateBody": json.dumps({"Resources": {"RefresherFunction1": function, "WatcherFunction1": function}})}


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


def proxy_protocol(enabled: str = "true") -> dict[str, Any]:
    return {"Attributes": [{"Key": "proxy_protocol_v2.enabled", "Value": enabled}]}


def messages(**waiting: int) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """The messages in the queues of these names, with - for _; the others are empty."""

    def answer(parameters: Mapping[str, Any]) -> dict[str, Any]:
        name = parameters["QueueUrl"].rsplit("/", 1)[-1].replace("-", "_")
        arn = f"arn:aws:sqs:{REGION}:123456789012:{parameters['QueueUrl'].rsplit('/', 1)[-1]}"
        return {"Attributes": {"ApproximateNumberOfMessages": str(waiting.get(name, 0)), "QueueArn": arn}}

    return answer


def rule(state: str = "ENABLED") -> dict[str, Any]:
    return {"State": state, "Arn": f"arn:aws:events:{REGION}:123456789012:rule/rule"}


def only_for(parameter: str, value: str, answer: Mapping[str, Any] | str, others: Mapping[str, Any]) -> Answer:
    """This answer where a parameter of the request has this value, and another one elsewhere."""
    return lambda parameters: answer if parameters[parameter] == value else others


def balancer(state: str, reason: str | None = None) -> dict[str, Any]:
    return {"LoadBalancers": [{"State": {"Code": state} | ({"Reason": reason} if reason else {})}]}


def endpoints(state: str = "available", *, private_dns: bool = True) -> dict[str, Any]:
    usual = {"VpcEndpointType": "Interface", "State": "available", "PrivateDnsEnabled": True}
    named = [{"ServiceName": f"com.amazonaws.{REGION}.{service}"} for service in ("ecr.api", "ecr.dkr")]
    return {"VpcEndpoints": [usual | named[0], usual | named[1] | {"State": state, "PrivateDnsEnabled": private_dns}]}


def subscribed(arn: str = f"{TOPIC}:1") -> dict[str, Any]:
    return {"Subscriptions": [{"Endpoint": "ops@example.net", "Protocol": "email", "SubscriptionArn": arn}]}


def simulated(
    *, pull: str = "allowed", push: str = "implicitDeny", outside: str = "explicitDeny", imports: str = "explicitDeny"
) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """IAM's decisions: on a pull that the settings allow, on a push and an import there, and on other repositories."""

    def decide(action: str, resource: str) -> str:
        if resource.endswith("/on-no-allow-list"):
            return outside
        if action in {*ecr_actions.PULL, "ecr:GetAuthorizationToken"}:
            return pull
        return imports if action in ecr_actions.IMPORT else push

    return deciding(decide)


def deciding(decide: Callable[[str, str], str]) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """IAM's decisions, of an action and a resource.

    As IAM answers: those on several resources are below a result that sums them up, and names none of them.
    """

    def result(action: str, resources: list[str]) -> dict[str, Any]:
        if len(resources) == 1:
            return {"EvalActionName": action, "EvalDecision": decide(action, resources[0])}
        each = [{"EvalResourceName": name, "EvalResourceDecision": decide(action, name)} for name in resources]
        summed = {"EvalActionName": action, "EvalResourceName": "*", "EvalDecision": "implicitDeny"}
        return summed | {"ResourceSpecificResults": each}

    return lambda asked: {
        "EvaluationResults": [result(action, asked["ResourceArns"]) for action in asked["ActionNames"]]
    }


def schedules(**changed: Mapping[str, Any] | str) -> Callable[[Mapping[str, Any]], Mapping[str, Any] | str]:
    """The schedules of the refresh and of the canary, but for the ones given."""
    listed: dict[str, Mapping[str, Any] | str] = {
        "refresh": {"ScheduleExpression": "rate(240 minutes)", "State": "ENABLED"},
        "canary": {"ScheduleExpression": "rate(15 minutes)", "State": "ENABLED"},
    }
    return lambda parameters: (listed | changed)[parameters["Name"]]


def healthy(without: str = "") -> dict[str, Answer]:
    """An answer to every request of the doctor; the stack may lack one logical id."""
    summaries = [
        {
            "ResourceType": kind,
            "LogicalResourceId": logical,
            "PhysicalResourceId": physical,
            "ResourceStatus": "CREATE_COMPLETE",
            "LastUpdatedTimestamp": "2026-01-01T00:00:00Z",
        }
        for kind, logical, physical in RESOURCES
        if logical != without
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
        "ListStacks": {"StackSummaries": []},
        "GetTemplate": template(to_json(SETTINGS)),
        "GetFunctionConfiguration": {"State": "Active"},
        "GetRole": {"Role": role},
        "SimulatePrincipalPolicy": simulated(),
        "DescribeCluster": {"cluster": {"accessConfig": {"authenticationMode": "API_AND_CONFIG_MAP"}}},
        "DescribeAccessEntry": {
            "accessEntry": {
                "kubernetesGroups": [
                    SETTINGS.refresher_group,
                    "ecr-frontdoor:deployer:registry",
                    "ecr-frontdoor:watcher:registry",
                ]
            }
        },
        "GetSchedule": schedules(),
        "DescribeRule": rule(),
        "GetEventSourceMapping": RECEIVING,
        "GetQueueAttributes": messages(),
        "DescribeAlarms": alarm(),
        "ListSubscriptionsByTopic": subscribed(),
        "DescribeLoadBalancers": balancer("active"),
        "DescribeTargetHealth": targets(target("healthy"), target("healthy")),
        "DescribeTargetGroupAttributes": proxy_protocol(),
        "DescribeVpcEndpoints": endpoints(),
        "ListPullTimeUpdateExclusions": {"pullTimeUpdateExclusions": []},
        "DescribeRepositories": {"repositories": [{"repositoryName": name} for name in ("team/app", "outside")]},
        "GetLifecyclePolicy": "LifecyclePolicyNotFoundException",
        "DescribeRegistry": {"registryId": "123456789012", "replicationConfiguration": {"rules": []}},
        "DescribeImages": {"imageDetails": []},
        "DescribeImageReplicationStatus": {"replicationStatuses": []},
    }
