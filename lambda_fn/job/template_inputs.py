"""Every name that the nginx template may use, and where its value comes from. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

from lambda_fn.contract.registries import ecr_hosts, layer_hosts, layer_url_regex
from lambda_fn.contract.repository_name import FORM
from lambda_fn.contract.warnings import Warnings
from lambda_fn.job.mirror_inputs import MirrorEntry, mirrors_of
from lambda_fn.job.route_inputs import Depth, FolderEntry, RouteEntry, Routes, routes_of
from lambda_fn.settings.budget import Budget
from lambda_fn.settings.cache import Cache
from lambda_fn.settings.models import Settings
from lambda_fn.settings.page import Page
from lambda_fn.settings.registry import Registry, with_replicas
from lambda_fn.settings.timeouts import Timeouts


@dataclass(frozen=True, slots=True)
class Upstream:
    """One ECR registry, as the template sees it.

    Attributes:
        host: The ECR host name.
        replica: The ECR host name of its replica, or an empty text.
        tags_of_replica: Whether the replica may say what a tag names.
    """

    host: str
    replica: str
    tags_of_replica: bool


@dataclass(frozen=True, slots=True)
class Inputs:
    """Every name a template may use.

    Attributes:
        domain: The registry's public name.
        resolver: The DNS server's address, IPv6 in brackets.
        registries: The upstreams, each once.
        repository_name: A regular expression for the name of a repository, of any length.
        routes: Which of them serves a repository, and what it calls it.
        mirrors: Those of them that ECR fills from a public registry.
        ecr_names: Every host name in ECR of a registry and of its replica, with the registry's host.
        layer_hosts: The S3 hosts that the registries and their replicas redirect to.
        layer_choices: Those that a pod needs: the one of each registry, or with a replica both, joined by `|`.
        layer_urls: A regular expression for the beginning of every URL in a layer bucket of the registries' partitions.
        tls: Whether nginx itself ends TLS.
        client_address: Where the client's address comes from: `connection`, `forwarded` (header), `proxy_protocol`, or
            `unknown`.
        hides_clients: Whether what stands before nginx connects from its own address and names no client.
        trusted_proxies: The network ranges whose word about the client's address is believed.
        drain_seconds: How long a stopping pod finishes its pulls.
        cache: What a pod keeps, with the names of its settings, `key_zone_mib`, `known_days` and `retry_seconds`.
        timeouts: How long it waits, with the names of its settings, `ecr_deadline_seconds`, `blob_deadline_seconds` and
            `import_deadline_seconds`.
        budget: What a pod may request from one registry, with the names of `Budget`.
        blobs: Whether blobs come through the proxy (`stream`) or from S3 (`redirect`).
        contact: What error messages name as the contact, or an empty text.
        warnings: The values of `Warning` headers.
        metrics: Whether nginx answers Prometheus.
        page: Which parts of the page nginx serves, with the names of its settings.
        memory_for_large_pulls_mib: What a pod's nginx may hold for pulls of blobs of 1 GB or more.
        worker_connections: How many connections each worker has.
    """

    domain: str
    resolver: str
    registries: list[Upstream]
    repository_name: str
    routes: Routes
    mirrors: list[MirrorEntry]
    ecr_names: list[tuple[str, str]]
    layer_hosts: list[str]
    layer_choices: list[str]
    layer_urls: str
    tls: bool
    client_address: str
    hides_clients: bool
    trusted_proxies: list[str]
    drain_seconds: int
    cache: Cache
    timeouts: Timeouts
    budget: Budget
    blobs: str
    contact: str
    warnings: Warnings
    metrics: bool
    page: Page
    memory_for_large_pulls_mib: int
    worker_connections: int


def inputs_of(settings: Settings, hosts: tuple[str, ...], resolver: str) -> Inputs:
    """The values for one installation.

    Args:
        settings: The deployed settings.
        hosts: The ECR host of each registry, in the order of the settings.
        resolver: The DNS server's address, IPv6 in brackets.
    """
    exposure, memory = settings.proxy.exposure, settings.proxy.memory
    everywhere = with_replicas(settings.registries)
    regions = [entry.region for entry in everywhere]
    registries = {
        host: Upstream(
            host=host,
            replica=entry.replica.host if entry.replica else "",
            tags_of_replica=entry.replica is not None and entry.tags == "any",
        )
        for host, entry in zip(hosts, settings.registries, strict=True)
    }
    return Inputs(
        domain=settings.domain,
        resolver=resolver,
        registries=list(registries.values()),
        repository_name=FORM,
        routes=routes_of(settings.registries, hosts),
        mirrors=mirrors_of(settings.registries, hosts),
        ecr_names=_ecr_names(settings.registries, hosts),
        layer_hosts=list(dict.fromkeys(layer for region in regions for layer in layer_hosts(region))),
        layer_choices=list(dict.fromkeys(choice for entry in settings.registries for choice in _layer_choices(entry))),
        layer_urls=layer_url_regex(regions),
        tls=exposure.pod_tls_secret is not None,
        client_address=exposure.client_address,
        hides_clients=exposure.hides_clients(manifests=settings.manifests),
        trusted_proxies=list(exposure.proxies),
        drain_seconds=settings.proxy.drain_seconds,
        cache=settings.proxy.cache,
        timeouts=settings.proxy.timeouts,
        budget=settings.proxy.budget,
        blobs=settings.proxy.blobs,
        contact=settings.contact or "",
        warnings=Warnings(),
        metrics=settings.proxy.monitoring_namespace is not None,
        page=settings.page,
        memory_for_large_pulls_mib=memory.large_pulls_mib,
        worker_connections=memory.worker_connections,
    )


def _ecr_names(registries: Iterable[Registry], hosts: Iterable[str]) -> list[tuple[str, str]]:
    pairs = (
        (name, host)
        for registry, host in zip(registries, hosts, strict=True)
        for entry in with_replicas([registry])
        for name in ecr_hosts(entry.account, entry.region)
    )
    return list(dict.fromkeys(pairs))


def _layer_choices(registry: Registry) -> Iterator[str]:
    own_and_replica = [layer_hosts(entry.region) for entry in with_replicas([registry])]
    return map("|".join, zip(*own_and_replica, strict=True))


NAMES = tuple(sorted(field.name for field in fields(Inputs)))
ATTRIBUTES: dict[type, frozenset[str]] = {
    Upstream: frozenset(field.name for field in fields(Upstream)),
    Routes: frozenset(field.name for field in fields(Routes)),
    RouteEntry: frozenset(field.name for field in fields(RouteEntry)),
    Depth: frozenset(field.name for field in fields(Depth)),
    MirrorEntry: frozenset(field.name for field in fields(MirrorEntry)),
    FolderEntry: frozenset(field.name for field in fields(FolderEntry)),
    Cache: frozenset(Cache.model_fields) | {"key_zone_mib", "known_days", "retry_seconds"},
    Budget: frozenset({"rate", "at_once", "queue", "client_rate", "client_queue", "wait_seconds"}),
    Timeouts: frozenset(Timeouts.model_fields)
    | {"blob_deadline_seconds", "ecr_deadline_seconds", "import_deadline_seconds"},
    Page: frozenset(Page.model_fields),
    Warnings: frozenset(field.name for field in fields(Warnings)),
}
"""What a template may read of each kind of object."""
