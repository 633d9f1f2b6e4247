"""What the settings file will say, decided from what the account and the options say. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from cli.account.cluster import ClusterFacts
from cli.account.network import Subnet, one_in_each_zone
from cli.account.zones import Zone, zone_for
from lambda_fn.contract.repository_pattern import RepositoryPattern

Kind = Literal["nlb", "gateway", "ingress", "pod", "service"]

_OWN_OF_CDK = "cdk-"
"""How the repositories begin that `cdk bootstrap` makes for images of its assets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The content of a settings file: what the options say, until the account and the operator have said the rest.

    Attributes:
        domain: The registry's host name.
        cluster: The EKS cluster.
        region: Its region, and that of the registry.
        account: The account of the registry.
        patterns: The repositories that clients may pull.
        repositories: Those that the registry has, as far as it was read.
        subnets: Where the Lambda runs, one in each zone; none where it runs outside of the VPC.
        has_nat: Whether they have a route to the internet.
        endpoints: The VPC's endpoints that settings can name.
        missing_endpoints: Those that the stack has to make.
        kind: How clients reach the proxy.
        gateway: Namespace and name of the Gateway.
        certificate_arn: Of an ACM certificate for the domain.
        public_zone: In which a certificate for the domain can be validated.
        private_zone: In which the domain's record can stand.
    """

    domain: str
    cluster: ClusterFacts
    region: str
    account: str
    patterns: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()
    subnets: tuple[Subnet, ...] = ()
    has_nat: bool = True
    endpoints: tuple[str, ...] = ()
    missing_endpoints: tuple[str, ...] = ()
    kind: Kind = "nlb"
    gateway: tuple[str, str] = ("", "")
    certificate_arn: str | None = None
    public_zone: Zone | None = None
    private_zone: Zone | None = None


def groups_of(repositories: Iterable[str], patterns: Iterable[str] = ()) -> dict[str, int]:
    """What could be opened besides `patterns`: each pattern with the number of its repositories, the largest first.

    `team/app` and `team/web` are `team/*`; a name without a slash stays. CDK's own repositories are left out.
    """
    is_open = [RepositoryPattern(pattern).matches for pattern in patterns]
    counts = Counter(
        f"{name.partition('/')[0]}/*" if "/" in name else name
        for name in repositories
        if not name.startswith(_OWN_OF_CDK) and not any(matches(name) for matches in is_open)
    )
    return dict(sorted(counts.items(), key=lambda group: (-group[1], group[0])))


def opened_by(pattern: str, repositories: Iterable[str]) -> int:
    """How many of the repositories a pattern opens."""
    return sum(map(RepositoryPattern(pattern).matches, repositories))


def place_of_lambda(subnets: Sequence[Subnet]) -> tuple[tuple[Subnet, ...], bool]:
    """The private subnets for the Lambda, one in each zone, and whether they have a route to the internet.

    Those with NAT are preferred. Public subnets do not count: a Lambda has no public address there.
    """
    with_nat = one_in_each_zone(subnet for subnet in subnets if subnet.default_route == "nat")
    if with_nat:
        return with_nat, True
    return one_in_each_zone(subnet for subnet in subnets if subnet.default_route == "none"), False


def domain_for(zones: Iterable[Zone]) -> str | None:
    """A name for the registry in the account's only private zone, or its only public one."""
    zones = tuple(zones)
    for private in (True, False):
        names = sorted({zone.name for zone in zones if zone.is_private is private and not zone.name.endswith(".arpa")})
        if len(names) == 1:
            return f"registry.{names[0]}"
    return None


def names_for(domain: str, zones: Iterable[Zone]) -> tuple[Zone | None, Zone | None]:
    """The public and the private zone that have the domain's records."""
    zones = tuple(zones)
    return zone_for(domain, zones, private=False), zone_for(domain, zones, private=True)
