"""The checks that look at more than one table. Each yields messages with the key, the value and the fix. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations, product

from lambda_fn.contract.registries import ECR_HOST, partition_of
from lambda_fn.contract.routes import Route, overlap
from lambda_fn.settings.exposure import ExposureTable
from lambda_fn.settings.registry import Registry, patterns_text, with_replicas


def reject_contradictions(registries: Sequence[Registry]) -> None:
    """Refuse tables of one registry that differ in what is its own.

    Raises:
        ValueError: Names both tables.
    """
    firsts: dict[tuple[str, str], tuple[int, Registry]] = {}
    for number, registry in enumerate(registries):
        first, other = firsts.setdefault((registry.account, registry.region), (number, registry))
        for key in ("endpoint", "replicas", "tags"):
            if getattr(registry, key) != getattr(other, key):
                raise ValueError(
                    f"registries[{number}].{key} differs from registries[{first}].{key}, and both are "
                    f"{registry.place}. Fix: set the same in both"
                )


def reject_overlaps(registries: Sequence[Registry]) -> None:
    """Refuse routes of two tables that overlap. One that is wholly within another one is fine: the narrower one counts.

    Raises:
        ValueError: Names both tables.
    """
    exact: dict[str, int] = {}
    wide: list[tuple[str, int]] = []
    for number, registry in enumerate(registries):
        for route in registry.routes:
            if not route.is_exact:
                wide.append((route.pattern, number))
            elif exact.setdefault(route.pattern, number) != number:
                raise ValueError(_both_serve(route.pattern, exact[route.pattern], route.pattern, number))
    for (one_pattern, first), (other_pattern, second) in combinations(wide, 2):
        if first != second and overlap(one_pattern, other_pattern) in {"equal", "partial"}:
            raise ValueError(_both_serve(one_pattern, first, other_pattern, second))


def reject_equal_mirrors(registries: Sequence[Registry]) -> None:
    """Refuse mirrors that nodes cannot tell apart, and those whose cache rule is the same one.

    Raises:
        ValueError: Names both tables.
    """
    mirrors = [(number, each, mirror) for number, each in enumerate(registries) if (mirror := each.mirror)]
    for (first, one, its), (second, other, others) in combinations(mirrors, 2):
        both = f"registries[{first}] and registries[{second}] are both mirrors"
        if its.public_start and its.public_start == others.public_start:
            raise ValueError(
                f"{both} below {its.public_start!r}. Fix: put their repositories into one table, or give one of them "
                "another strip"
            )
        if its.upstream and its.upstream == others.upstream and not (its.is_renamed or others.is_renamed):
            raise ValueError(
                f"{both} of {its.upstream}, and a node that names it could mean either. Fix: remove upstream from one "
                "of them, and set redirect_hosts there"
            )
        if one.cache_rule and other.cache_rule and its.prefix == others.prefix:
            raise ValueError(
                f"{both} with cache_rule, and have the same rule, {its.prefix}. Fix: remove cache_rule from one of them"
            )


def reject_ways_around_mirrors(registries: Sequence[Registry]) -> None:
    """Refuse a table by whose names clients reach what a mirror imports: the limits of imports are those of its names.

    Raises:
        ValueError: Names both tables.
    """
    mirrors = [(number, each) for number, each in enumerate(registries) if each.pull_through]
    others = [(number, each) for number, each in enumerate(registries) if not each.pull_through]
    for (second, mirror), (first, other) in product(mirrors, others):
        place = mirror.account, mirror.region
        if place not in {(each.account, each.region) for each in with_replicas([other])}:
            continue
        where = "in ECR" if place == (other.account, other.region) else "at the replica"
        pairs = ((route, each) for route in other.routes for each in mirror.routes)
        found = ((route, each) for route, each in pairs if _is_way_around(route, each))
        if pair := next(found, None):
            raise ValueError(
                f"registries[{first}] serves {pair[0].pattern!r}, which {where} may be what registries[{second}] "
                f"imports ({pair[1].ecr_pattern}), so clients would get it without the limits of imports. Fix: "
                f"name only other repositories in registries[{first}]"
            )


def _is_way_around(route: Route, imported: Route) -> bool:
    """Whether clients reach what a mirror's route imports by another one.

    They do not where that one is around the mirror's and leads its names to the same: then the narrower one counts.
    """
    if not overlap(route.ecr_pattern, imported.ecr_pattern):
        return False
    is_around = overlap(route.pattern, imported.pattern) == "around"
    same = replace(imported, strip=route.strip, prefix=route.prefix)
    return not (is_around and same.ecr_pattern == imported.ecr_pattern)


def _both_serve(one: str, first: int, other: str, second: int) -> str:
    if one == other:
        return f"registries[{first}] and registries[{second}] both serve {one!r}. Fix: remove it from one of them"
    return (
        f"registries[{first}] serves {one!r} and registries[{second}] serves {other!r}: these overlap, and neither is "
        "within the other. Fix: change one of them, so that they are apart or one is within the other, like team/a/* "
        "within team/*"
    )


def canary(repository: str | None, registries: Sequence[Registry]) -> Iterator[str]:
    """The pull check needs a repository that clients may pull."""
    if repository and not any(route.ecr_name(repository) for registry in registries for route in registry.routes):
        yield (
            f"canary.repository = {repository}: must be a repository that clients may pull: one that "
            f"{patterns_text(registries)} allows"
        )


def resolver(address: str | None, *, endpoint: str | None) -> Iterator[str]:
    """With a fixed endpoint the Lambda does not ask EKS, so it does not know the address of the cluster's DNS."""
    if endpoint and not address:
        yield (
            "proxy.resolver is missing: it must be set together with cluster.endpoint, because EKS is then not asked "
            "for the cluster's DNS address"
        )


def ipv6(addresses: Mapping[str, str | None], client_cidrs: Sequence[str], *, exposure: ExposureTable) -> Iterator[str]:
    """Pods of an IPv6 cluster have only IPv6 addresses, and so have the clients that reach them.

    Args:
        addresses: What shows that a cluster is IPv6, by the key or the words to call it by in messages.
        client_cidrs: The ranges that the NetworkPolicy allows.
        exposure: The way in which clients reach the pods.
    """
    found = next((f"{key} = {value}" for key, value in addresses.items() if value and _is_ipv6(value)), None)
    if not found:
        return
    if conflict := exposure.ipv6_conflict(found):
        yield conflict
    elif not any(_is_ipv6(cidr) for cidr in client_cidrs):
        yield (
            f"{found} is IPv6, and proxy.client_cidrs = {', '.join(client_cidrs)} has no IPv6 range: pods of an IPv6 "
            "cluster have only IPv6 addresses, so no client is let in. Fix: add the IPv6 range of your VPC to "
            "proxy.client_cidrs"
        )


def _is_ipv6(value: str) -> bool:
    """Whether this is an IPv6 address or range, or a URL with one."""
    return "[" in value or ("//" not in value and ":" in value)


def regions(arns: Mapping[str, str], region: str) -> Iterator[str]:
    """Resources beside the cluster work only in its region and partition."""
    for key, arn in arns.items():
        _, partition, _, found, *_ = arn.split(":")
        if found != region:
            yield f"{key} = {arn}: must be in cluster.region = {region}"
        yield from _partition(key, arn, partition, region)


def partitions(registries: Sequence[str], image: str, region: str) -> Iterator[str]:
    """Registries and the image may be in any region of the cluster's partition."""
    for number, of in enumerate(registries):
        yield from _partition(f"registries[{number}].region", of, partition_of(of).name, region)
    if host := ECR_HOST.match(image):
        yield from _partition("proxy.image", image, partition_of(host["region"]).name, region)


def _partition(key: str, value: str, partition: str, region: str) -> Iterator[str]:
    wanted = partition_of(region).name
    if partition != wanted:
        yield (
            f"{key} = {value}: must be in the partition {wanted} of cluster.region = {region}, not in {partition}: "
            "partitions of AWS share neither accounts nor credentials. Fix: give each partition its own deployment"
        )


def secrets(tls_secret: str | None, pull_secret: str) -> Iterator[str]:
    """The Lambda writes the pull secret, and something else the certificate."""
    if tls_secret == pull_secret:
        yield (
            f"proxy.exposure.tls_secret = {pull_secret}: must differ from names.secret, because the Lambda would "
            "overwrite the certificate"
        )
