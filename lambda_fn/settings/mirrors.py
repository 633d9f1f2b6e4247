"""A registry whose repositories ECR fills from a public registry: what follows from its settings. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from lambda_fn.contract.public_registries import public_registry
from lambda_fn.contract.registries import is_fips, partition_of

_KEYS = ("upstream", "cache_prefix", "cache_rule", "upstream_credential", "redirect_hosts")
"""The keys of a registry that mean nothing without `pull_through`."""


@dataclass(frozen=True, slots=True)
class Mirror:
    """What `pull_through = true` means.

    Attributes:
        prefix: Of the cache rule: ECR imports `<prefix>/<name>` from the upstream's `<name>`.
        upstream: The public registry, as clients write it; an empty text where the settings name none.
        redirect_hosts: Where ECR may redirect blobs beside its layer buckets; a `*` stands for characters of one label.
        upstream_start: How a name at the upstream has to begin, so that clients can pull it through the route.
        public_start: What stands in a public name instead of it.
        is_renamed: Whether `renames` has all its names, so that those at the upstream lead to none.
    """

    prefix: str
    upstream: str
    redirect_hosts: tuple[str, ...]
    upstream_start: str
    public_start: str
    is_renamed: bool = False


def mirror(
    *,
    names: Mapping[tuple[str, str], str],
    cache_prefix: str | None,
    upstream: str | None,
    redirect_hosts: tuple[str, ...],
    strip: str,
    prefix: str,
) -> Mirror:
    """The mirror of a registry.

    Args:
        names: By the key of the settings, `repositories` or `renames`, and the public pattern: the one in ECR.
        cache_prefix: Of the cache rule; None for the first part of the names.
        upstream: The public registry.
        redirect_hosts: Instead of the upstream's own.
        strip: What a public name begins with and the name in ECR lacks.
        prefix: What the name in ECR begins with instead.

    Raises:
        ValueError: A pattern allows names that the cache rule does not fill, or public names begin with `v2/`.
    """
    rule = cache_prefix or next(iter(names.values())).partition("/")[0]
    start = f"{rule}/"
    for (key, public), name in names.items():
        if "*" in rule or not name.startswith(start):
            raise ValueError(
                f"{key} has {public!r}{f', {name!r} in ECR' if name != public else ''}, which is not below one prefix "
                "in ECR, and with pull_through each must be below that of the pull-through cache rule"
                f"{'' if '*' in rule else f', here {start}'}. Fix: give the other repositories an entry of their own, "
                "or set cache_prefix"
            )
    is_renamed = all(key == "renames" for key, _ in names)
    if is_renamed:
        upstream_start = public_start = ""
    elif start.startswith(prefix):
        upstream_start, public_start = "", strip + start.removeprefix(prefix)
    else:
        upstream_start, public_start = prefix.removeprefix(start), strip
    if public_start == "v2/":
        raise ValueError(
            "the names of a mirror begin with v2/, so its path for Docker would be one of the API, /v2/v2/. Fix: let "
            "them begin otherwise, by strip and prefix"
        )
    hosts = redirect_hosts or (public_registry(upstream).redirect_hosts if upstream else ())
    return Mirror(rule, upstream or "", hosts, upstream_start, public_start, is_renamed)


def conflicts(
    keys: Iterable[str], *, region: str, host: str, upstream: str | None, cache_rule: bool, credential: str | None
) -> Iterator[str]:
    """What of these settings does not fit together.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache.html , "Considerations".

    Args:
        keys: Those that the registry's table has.
        region: Of the registry.
        host: Its host name.
        upstream: The public registry.
        cache_rule: Whether the stack makes the rule.
        credential: The ARN of the upstream's credential.
    """
    keys = set(keys)
    if "pull_through" not in keys:
        yield from (f"{key} needs pull_through = true in the same table" for key in _KEYS if key in keys)
    elif not (partition := partition_of(region)).ecr_has_cache_rules:
        yield (
            f"pull_through = true: ECR has no pull-through cache rules in {region} or elsewhere in the partition "
            f"{partition.name}. Fix: remove pull_through, and push the images to ECR"
        )
    elif is_fips(host):
        yield (
            f"endpoint = {host} cannot be used with pull_through = true: the FIPS endpoints of ECR import no image. "
            "Fix: remove endpoint, or name one without FIPS"
        )
    elif cache_rule and not upstream:
        yield "cache_rule = true needs upstream: the public registry that the rule imports from, like docker.io"
    elif cache_rule and upstream and public_registry(upstream).needs_credential and not credential:
        yield (
            f"cache_rule = true needs upstream_credential: ECR makes no rule for {upstream} without a login. Fix: set "
            "it to the ARN of a secret whose name begins with ecr-pullthroughcache/"
        )
    elif credential and not cache_rule:
        yield "upstream_credential needs cache_rule = true: without it the stack makes no rule that could name it"
