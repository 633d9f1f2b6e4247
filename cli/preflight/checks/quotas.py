"""Whether the account's quotas have room for what the deployment makes."""

from collections.abc import Iterator
from typing import Any

from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok, warning
from cli.preflight.checks import RUNBOOK
from lambda_fn.settings.exposure import NlbExposure

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


def run(context: CheckContext) -> Iterator[Finding]:
    """Each quota that this deployment could exceed. Of a deployed stack nothing: what it needs, it has."""
    if context.stack.is_deployed:
        return
    settings = context.settings
    yield from _roles(context)
    yield from _runs(context)
    has_balancer = isinstance(settings.proxy.exposure, NlbExposure)
    if settings.cluster.security_group_id and (settings.cluster.subnet_ids or has_balancer):
        yield from _rules(context, settings.cluster.security_group_id)
    if has_balancer:
        yield from _balancers(context)
    if settings.cluster.vpc_id and (created := set(settings.endpoints.create) - {"s3"}):
        yield from _endpoints(context, settings.cluster.vpc_id, len(created))


def _roles(context: CheckContext) -> Iterator[Finding]:
    summary = context.client("iam").get_account_summary()["SummaryMap"]
    if "RolesQuota" in summary:
        yield _room("IAM roles in the account", summary["Roles"], summary["RolesQuota"], ROLES)


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
    yield _room(f"inbound rules of {group}", used, _limit(context, *_RULES_IN_A_GROUP), RULES)


def _balancers(context: CheckContext) -> Iterator[Finding]:
    elb = context.client("elbv2")
    limits = {one["Name"]: int(one["Max"]) for one in elb.describe_account_limits()["Limits"]}
    pages = elb.get_paginator("describe_load_balancers").paginate()
    used = sum(one["Type"] == "network" for page in pages for one in page["LoadBalancers"])
    if limit := limits.get("network-load-balancers"):
        yield _room("Network Load Balancers", used, limit, 1)


def _endpoints(context: CheckContext, vpc_id: str, needed: int) -> Iterator[Finding]:
    pages = context.client("ec2").get_paginator("describe_vpc_endpoints")
    listed = pages.paginate(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])
    used = sum(one.get("VpcEndpointType") == "Interface" for page in listed for one in page["VpcEndpoints"])
    yield _room(f"interface endpoints in {vpc_id}", used, _limit(context, *_ENDPOINTS_IN_A_VPC), needed)


def _limit(context: CheckContext, service: str, code: str, default: int) -> int:
    """The account's own quota. One that was never raised may be unknown to Service Quotas."""
    quotas: Any = context.client("service-quotas")
    try:
        return int(quotas.get_service_quota(ServiceCode=service, QuotaCode=code)["Quota"]["Value"])
    except quotas.exceptions.NoSuchResourceException:
        return default


def _room(title: str, used: int, limit: int, needed: int) -> Finding:
    if used + needed > limit:
        return failed(
            f"{title}: {used} of {limit} are in use, and the deployment makes up to {needed}",
            "raise the quota in Service Quotas, or delete what is not needed",
        )
    return ok(f"{title}: {used} of {limit} are in use, and the deployment makes up to {needed}")


CHECK = Check("quotas", Category.AWS, run, needs=("aws",), runbook=RUNBOOK)
