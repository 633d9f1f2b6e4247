"""What the nginx template knows of the registries that ECR fills from public registries. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from lambda_fn.contract.public_registries import url_regex
from lambda_fn.settings.registry import Registry


@dataclass(frozen=True, slots=True)
class MirrorEntry:
    """One `[[registries]]` table with `pull_through`.

    Attributes:
        number: Its place among them, from 0.
        host: The ECR host name.
        prefix: Of the cache rule in ECR.
        upstream: The public registry, or an empty text.
        urls: A regular expression for the beginning of every URL to which ECR may redirect its blobs.
        upstream_start: How names at the upstream begin that clients can pull.
        public_start: How public names begin instead.
        is_renamed: Whether names at the upstream lead to none of its repositories.
    """

    number: int
    host: str
    prefix: str
    upstream: str
    urls: str
    upstream_start: str
    public_start: str
    is_renamed: bool


def mirrors_of(registries: Sequence[Registry], hosts: Sequence[str]) -> list[MirrorEntry]:
    """The mirrors among these registries, whose hosts are given in the same order."""
    return [
        MirrorEntry(
            number=number,
            host=host,
            prefix=mirror.prefix,
            upstream=mirror.upstream,
            urls=url_regex(mirror.redirect_hosts),
            upstream_start=mirror.upstream_start,
            public_start=mirror.public_start,
            is_renamed=mirror.is_renamed,
        )
        for number, (entry, host) in enumerate(zip(registries, hosts, strict=True))
        if (mirror := entry.mirror)
    ]
