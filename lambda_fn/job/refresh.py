"""The job, top to bottom. Pure over its ports.

Every object is written only after everything that it depends on has been checked: the tokens in the cluster are valid
for hours, so a failure costs no more than a later try. The Secret is first, and does not depend on the template: new
pods need it to be pulled and to start. The ConfigMap is second, and the annotation that rolls the Deployment last.
Where the new pods do not become ready, the earlier configuration is put back; where the rollout cannot even be started,
the ConfigMap's text is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import NoReturn

from lambda_fn.contract.errors import ClusterError, RegistryError, TemplateError
from lambda_fn.job import tokens
from lambda_fn.job.configuration import rendered
from lambda_fn.job.event import Request
from lambda_fn.job.manifests import Objects
from lambda_fn.job.ports import Clock, Cluster, Registry
from lambda_fn.job.report import (
    Ipv6Error,
    Report,
    StaleRegionError,
    UnrenderedTemplateError,
    unfinished_after,
)
from lambda_fn.job.undo import Before
from lambda_fn.job.update import Update, apply
from lambda_fn.settings import consistency
from lambda_fn.settings.models import Settings


def refresh(
    settings: Settings, request: Request, *, resolver: str, registry: Registry, cluster: Cluster, clock: Clock
) -> Report:
    """Give the proxy new tokens and the configuration its template renders to, and wait for the rollout.

    Running it twice writes new tokens twice and changes nothing else.

    Raises:
        RegistryError: No region gave a usable token; nothing is written.
        SettingsError: The tokens of all registries do not fit into a Secret; nothing is written.
        StaleRegionError: At least one region of a registry has no new token; everything else is done. A region of
            replicas alone is a warning of the report.
        Ipv6Error: The cluster is IPv6, and no client can reach the pods; everything else is done.
        UnrenderedTemplateError: The template cannot be read, does not render, or uses the credential for ECR in another
            line than the shipped one; only the Secret is written.
        ClusterError: The API refused or failed before the Secret was written.
        UnfinishedError: The API refused or failed after that: the new tokens are in use. Where the Deployment could not
            be written, the ConfigMap has its earlier text again, or the message says that this failed, too.
        RolloutReplacedError: Everything is written, and another writer's rollout replaced this one.
        RolloutStuckError: The new tokens are written, but the pods do not become ready with the new configuration; its
            message says whether the earlier one is in force again, its report what the run did.
    """
    objects = Objects(settings.names, settings.cluster.namespace, settings.proxy.labels, settings.proxy.annotations)
    now = clock.now()
    found = tokens.gather(
        settings.registries,
        now=now,
        must_outlive=settings.refresh.schedule.longest_until(2),
        registry=registry,
        cluster=cluster,
    )
    secret = objects.secret({**found.entries, **found.former}, found.expires_at(now), now)
    # First: neither a missing template nor one that loops until the invocation ends must stop the tokens.
    report = apply(secret, cluster, _of_tokens(found, now, dry_run=request.dry_run))
    # Before a rollout deletes the pods that tell. A run starts at most this long after the one before.
    report = _with_killed_pods(report, cluster, since=now - settings.refresh.schedule.longest_until(1))
    if found.unserved:
        # Nothing would serve its repositories, and new pods would not start.
        _fail_for_regions(found, report)
    with unfinished_after(report):
        configuration = _configuration(settings, found.hosts, resolver, cluster, report)
        before = Before(cluster.read_workload(), cluster.read_configuration())
        update = Update(objects, before, cluster, clock, settings.refresh.rollout_timeout_seconds)
        report = update.run(request, configuration, report)
    if found.errors:
        _fail_for_regions(found, report)
    _reject_ipv6(settings, resolver, report)
    return report


def _of_tokens(found: tokens.Tokens, now: datetime, *, dry_run: bool) -> Report:
    """The report of a run that has its tokens, and has done nothing else."""
    return Report(
        dry_run=dry_run,
        hosts=tuple(found.entries),
        expires_at=found.expires_at(now),
        config_sha256=None,
        stale_regions=tuple(dict.fromkeys([*found.errors, *found.replica_errors])),
        warnings=(*found.warnings, *map(str, found.errors.values()), *_replica_warnings(found.replica_errors)),
    )


def _replica_warnings(errors: Mapping[str, RegistryError]) -> Iterator[str]:
    for region, error in errors.items():
        yield f"the replica in {region} has no new token, so pulls may not go on when its registry fails: {error}"


def _with_killed_pods(report: Report, cluster: Cluster, *, since: datetime) -> Report:
    """The report with what happened to the pods. No failure of the run: the tokens are written."""
    try:
        killed = cluster.killed_pods(since=since)
    except ClusterError as error:
        return replace(report, warnings=(*report.warnings, f"evictions and memory limits are not seen: {error}"))
    return replace(report, pods_killed=len(killed), warnings=(*report.warnings, *killed))


def _configuration(settings: Settings, hosts: tuple[str, ...], resolver: str, cluster: Cluster, report: Report) -> str:
    try:
        return rendered(settings, hosts, resolver, cluster.read_template())
    except (ClusterError, TemplateError) as error:
        state = report.state(f"{report.tokens()}; the proxy keeps the configuration it has")
        raise UnrenderedTemplateError(f"{error}. {state}", report) from error


def _fail_for_regions(found: tokens.Tokens, report: Report) -> NoReturn:
    reasons = "; ".join(f"no new token of {region}: {error}" for region, error in found.errors.items())
    state = "Registries of other regions have new tokens; those of the named ones keep their earlier token"
    if found.unserved:
        state = (
            f"Registries of other regions have new tokens; {', '.join(found.unserved)} has no valid one, so the "
            "configuration is left as it is, and uncached content of that registry can be pulled only if that "
            "configuration names another host of it"
        )
    elif found.missing:
        state = (
            f"Registries of other regions have new tokens; {', '.join(found.missing)} has no valid one, so uncached "
            "content of that registry comes from its replica"
        )
    raise StaleRegionError(f"{reasons}. {report.state(state)}", report) from next(iter(found.errors.values()))


def _reject_ipv6(settings: Settings, resolver: str, report: Report) -> None:
    """The settings alone do not show the mistake where EKS gives the address of the DNS."""
    for mistake in consistency.ipv6(
        {"the cluster's DNS address": resolver}, settings.proxy.client_cidrs, exposure=settings.proxy.exposure
    ):
        raise Ipv6Error(f"{mistake}, and deploy. {report.state(report.tokens())}", report)
