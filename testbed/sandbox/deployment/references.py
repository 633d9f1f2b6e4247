"""The settings of the reference configurations for the sandbox: each has what one file of `examples/` is for. Pure.

Together their templates have every resource type that the app can make.
"""

from collections.abc import Mapping
from typing import NamedTuple

from testbed.sandbox.names import Names

Network = Mapping[str, object]
"""Keys of `[cluster]`: the VPC, its subnets and a security group."""


class Reference(NamedTuple):
    """A configuration.

    Attributes:
        more: TOML that follows `[proxy]`, with `[proxy.exposure]`.
        head: Keys at the top.
        cluster: More keys of `[cluster]`.
        in_vpc: Whether the Lambda runs in the VPC.
    """

    more: str
    head: str = ""
    cluster: str = ""
    in_vpc: bool = True

    def settings(self, sandbox: str, network: Network) -> str:
        """The whole file, from the sandbox's own with this `more` at its end."""
        keys = "".join(f"{key} = {value!r}\n" for key, value in network.items()) if self.in_vpc else ""
        text = sandbox.replace("\n[[registries]]", f"{keys}{self.cluster}\n[[registries]]")
        # What is deployed next does not wait so long for the pods; a load balancer needs a longer rollout.
        for old, new in (
            ("drain_seconds = 300", "drain_seconds = 30"),
            ("_timeout_seconds = 120", "_timeout_seconds = 780"),
        ):
            text = text.replace(old, new)
        return self.head + text


_SERVICE = '[proxy.exposure]\nkind = "service"\n'

SMALLEST = Reference(_SERVICE, in_vpc=False)
INGRESS = Reference('[proxy.exposure]\nkind = "ingress"\nclass_name = "haproxy"\ntls_secret = "registry-tls"\n')
GATEWAY = Reference(
    '[proxy.exposure]\nkind = "gateway"\ngateway = "internal"\ngateway_namespace = "edge"\n'
    'trusted_proxies = ["10.0.0.0/24"]\n'
)
NAMESPACED = Reference(_SERVICE, head='manifests = "namespaced"\n')
EXTERNAL = Reference(_SERVICE, head='manifests = "external"\n', in_vpc=False)


def mirrors(names: Names) -> Reference:
    """A team's images, from an allow-list that needs managed policies, and what two cache rules import."""
    registry = f'[[registries]]\naccount = "{names.account}"\nregion = "{names.region}"\n'
    products = [f"products/{number:03}/{'service' * 5}" for number in range(200)]
    secret = f"arn:aws:secretsmanager:{names.region}:{names.account}:secret:ecr-pullthroughcache/docker-hub-AbCdEf"
    rule = "pull_through = true\ncache_rule = true\n"
    return Reference(
        f"""{_SERVICE}
{registry}repositories = {products}

{registry}repositories = ["docker-hub/library/*"]
upstream = "docker.io"
upstream_credential = "{secret}"
{rule}
{registry}repositories = ["k8s/*"]
upstream = "registry.k8s.io"
{rule}""",
        in_vpc=False,
    )


def load_balancer(names: Names, zone: str, subnets: Mapping[str, str], route_table: str) -> Reference:
    """A protected NLB with its name and certificate in a zone, endpoints, the stack's key, mail and a canary.

    Args:
        names: The sandbox's.
        zone: The id of a Route 53 zone that holds the domain.
        subnets: Id -> IPv4 range.
        route_table: Of the endpoint for S3.
    """
    ranges = "".join(f'{subnet} = "{cidr}"\n' for subnet, cidr in subnets.items())
    return Reference(
        f"""client_cidrs = ["10.0.0.0/8"]

[proxy.exposure]
kind = "nlb"
certificate_zone_id = "{zone}"
alias_zone_id = "{zone}"
deletion_protection = true

[proxy.exposure.subnets]
{ranges}
[endpoints]
create = ["ec2", "ecr.api", "ecr.dkr", "eks", "elasticloadbalancing", "lambda", "logs", "s3", "sts"]
route_table_ids = ["{route_table}"]

[alarms]
emails = ["registry@frontdoor.test"]

[canary]
repository = "{names.app_repository}"
reference = "{names.app_tag}"
""",
        head='encryption = "stack"\n',
        cluster="public_endpoint = false\nnat = false\n",
    )
