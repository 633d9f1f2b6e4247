"""Whether the stack can make the endpoints of `[endpoints]`."""

from collections.abc import Iterator

from cli.account.network import endpoints_of
from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok
from cli.doctor.stack_resources import ENDPOINT

_ATTRIBUTES = {
    "enableDnsSupport": ("EnableDnsSupport", "--enable-dns-support"),
    "enableDnsHostnames": ("EnableDnsHostnames", "--enable-dns-hostnames"),
}
"""Each attribute of a VPC with its key in an answer, and its option of the AWS command line."""


def run(context: CheckContext) -> Iterator[Finding]:
    """Those that exist, which a second one with the same private name conflicts with, and the DNS of the VPC.

    Nothing where the stack makes none, and nothing of an endpoint that the stack has made itself.
    """
    vpc_id, created = context.settings.cluster.vpc_id, context.settings.endpoints.create
    if not (vpc_id and created):
        return
    ec2 = context.client("ec2")
    of_others = endpoints_of(
        ec2, vpc_id, context.settings.cluster.region, without=context.stack.of(ENDPOINT), with_private_names=True
    )
    problems = []
    if there := sorted(of_others & set(created) - {"s3"}):
        message = f"endpoints.create: {vpc_id} has {', '.join(there)} already, and EC2 refuses a second private name"
        problems.append(failed(message, "move them to endpoints.existing"))
    for attribute, (key, option) in _ATTRIBUTES.items():
        if not ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute=attribute)[key]["Value"]:
            hint = f"aws ec2 modify-vpc-attribute --vpc-id {vpc_id} {option} Value=true"
            problems.append(failed(f"{attribute} of {vpc_id} is off, which private names of endpoints need", hint))
    yield from problems
    if not problems:
        yield ok(f"the endpoints can be made in {vpc_id}: {', '.join(created)}")


CHECK = Check("endpoints", Category.AWS, run, needs=("aws",), runbook="docs/exposure.md#a-cluster-without-nat")
