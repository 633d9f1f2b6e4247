"""Whether the account's quotas have room for what the deployment adds."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, Verdict, failed, ok, warning
from cli.doctor.stack_resources import ENDPOINT, LOAD_BALANCER
from cli.preflight.checks import RUNBOOK
from lambda_fn.contract.registries import partition_of
from lambda_fn.settings.exposure import NlbExposure
from stacks.policy_limits import MOST_MANAGED_POLICIES, USUAL_MANAGED_POLICIES, managed_policies

ROLES = 8
"""No deployment makes more roles; a test compares with the templates."""
RULES = 4
"""No deployment adds more rules to the cluster security group; a test compares with the templates."""
_CONCURRENT_RUNS = 10
"""The Lambda, CDK's kubectl and the functions around it run at the same time in a deployment."""
_RULES_IN_A_GROUP, _ENDPOINTS_IN_A_VPC = ("vpc", "L-0EA8095F", 60), ("vpc", "L-29B6F2EB", 50)
"""Service, code and default: https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html and
https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-limits-endpoints.html
"""
_POLICIES_OF_A_ROLE = ("iam", "L-0DA4ABF3", USUAL_MANAGED_POLICIES)
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
_REGIONS_OF_IAM = {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1"}
"""Where Service Quotas has the quotas of IAM, by partition."""
_FIX = "raise the quota in Service Quotas, or delete what is not needed"


def run(context: CheckContext) -> Iterator[Finding]:
    """Each quota that this deployment could exceed, beside what the stack has."""
    settings = context.settings
    yield from _policies(context)
    yield from _roles(context)
    yield from _runs(context)
    has_balancer = isinstance(settings.proxy.exposure, NlbExposure)
    if settings.cluster.security_group_id and (settings.cluster.subnet_ids or has_balancer):
        yield from _rules(context, settings.cluster.security_group_id)
    if has_balancer and not context.stack.of(LOAD_BALANCER):
        yield from _balancers(context)
    if settings.cluster.vpc_id and (created := set(settings.endpoints.create) - {"s3"}):
        yield from _endpoints(context, settings.cluster.vpc_id, len(created))


def _policies(context: CheckContext) -> Iterator[Finding]:
    needed = managed_policies(context.settings.registries)
    if needed <= USUAL_MANAGED_POLICIES:
        return
    title = f"managed policies of the Lambda's role: the patterns of registries[].repositories take {needed}"
    fewer = "use fewer patterns, for example team/*"
    fix = f"raise the quota Managed policies per role of AWS IAM in Service Quotas, or {fewer}"
    if needed > MOST_MANAGED_POLICIES:
        yield failed(f"{title}, and IAM allows {MOST_MANAGED_POLICIES}", fewer)
    elif (limit := _policies_of_a_role(context)) is None:
        yield warning(f"{title}, your quota was not read, and by default IAM allows {USUAL_MANAGED_POLICIES}", fix)
    elif needed > limit:
        yield failed(f"{title}, and your account allows {limit}", fix)
    else:
        yield ok(f"{title}, and your account allows {limit}")


def _policies_of_a_role(context: CheckContext) -> int | None:
    """None where the quota cannot be read, for example where the organization allows no calls to another region."""
    region = _REGIONS_OF_IAM.get(partition_of(context.settings.cluster.region).name)
    try:
        return _limit(context, *_POLICIES_OF_A_ROLE, region=region) if region else None
    except (BotoCoreError, ClientError):
        return None


def _roles(context: CheckContext) -> Iterator[Finding]:
    summary = context.client("iam").get_account_summary()["SummaryMap"]
    if "RolesQuota" in summary:
        needed = ROLES - len(context.stack.of("AWS::IAM::Role"))
        yield from _estimated(context, "IAM roles in the account", summary["Roles"], summary["RolesQuota"], needed)


def _runs(context: CheckContext) -> Iterator[Finding]:
    limits = context.client("lambda").get_account_settings()["AccountLimit"]
    free = limits["UnreservedConcurrentExecutions"]
    if free < _CONCURRENT_RUNS:
        yield warning(
            f"Lambda may run {free} functions at once in {context.settings.cluster.region}, for everything in the "
            "account: runs may be throttled",
            "raise the quota Concurrent executions of AWS Lambda in Service Quotas",
        )
    else:
        yield ok(f"Lambda may run {free} functions at once")


def _rules(context: CheckContext, group: str) -> Iterator[Finding]:
    pages = context.client("ec2").get_paginator("describe_security_group_rules")
    listed = pages.paginate(Filters=[{"Name": "group-id", "Values": [group]}])
    used = sum(not rule["IsEgress"] for page in listed for rule in page["SecurityGroupRules"])
    needed = RULES - len(context.stack.of("AWS::EC2::SecurityGroupIngress"))
    yield from _estimated(context, f"inbound rules of {group}", used, _limit(context, *_RULES_IN_A_GROUP), needed)


def _balancers(context: CheckContext) -> Iterator[Finding]:
    elb = context.client("elbv2")
    limits = {one["Name"]: int(one["Max"]) for one in elb.describe_account_limits()["Limits"]}
    pages = elb.get_paginator("describe_load_balancers").paginate()
    used = sum(one["Type"] == "network" for page in pages for one in page["LoadBalancers"])
    if limit := limits.get("network-load-balancers"):
        yield _room("Network Load Balancers", used, limit, 1)


def _endpoints(context: CheckContext, vpc_id: str, created: int) -> Iterator[Finding]:
    pages = context.client("ec2").get_paginator("describe_vpc_endpoints")
    listed = [
        one for page in pages.paginate(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}]) for one in page["VpcEndpoints"]
    ]
    used = {one["VpcEndpointId"] for one in listed if one.get("VpcEndpointType") == "Interface"}
    needed = created - len(used.intersection(context.stack.of(ENDPOINT)))
    if needed > 0:
        limit = _limit(context, *_ENDPOINTS_IN_A_VPC)
        yield _room(f"interface endpoints in {vpc_id}", len(used), limit, needed)


def _limit(context: CheckContext, service: str, code: str, default: int, *, region: str | None = None) -> int:
    """The account's own quota. One that was never raised may be unknown to Service Quotas."""
    quotas: Any = context.client("service-quotas", region=region)
    try:
        return int(quotas.get_service_quota(ServiceCode=service, QuotaCode=code)["Quota"]["Value"])
    except quotas.exceptions.NoSuchResourceException:
        return default


def _estimated(context: CheckContext, title: str, used: int, limit: int, needed: int) -> Iterator[Finding]:
    """What a deployment makes at most: an update that has no room for all of it may still need less."""
    if needed > 0:
        found = _room(title, used, limit, needed)
        has_no_room = found.verdict is Verdict.FAILED
        yield warning(found.message, _FIX) if context.stack.is_deployed and has_no_room else found


def _room(title: str, used: int, limit: int, needed: int) -> Finding:
    message = f"{title}: {used} of {limit} are in use, and the deployment makes up to {needed}"
    return failed(message, _FIX) if used + needed > limit else ok(message)


CHECK = Check("quotas", Category.AWS, run, needs=("aws",), runbook=RUNBOOK)
