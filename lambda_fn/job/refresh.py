"""The job, top to bottom. Pure over its ports.

Until everything that can be checked has been checked, nothing is written: the token in the cluster is good for hours,
so a failure costs nothing but a later try. Then the Secret is written first (new pods need it to be pulled and to
start), the ConfigMap second, and the annotation that rolls the Deployment last. Where the new pods do not become ready,
the configuration from before is put back; where the rollout cannot even be started, the ConfigMap's text is.
"""

from dataclasses import replace
from typing import NoReturn

from lambda_fn.contract.errors import ClusterError
from lambda_fn.job import manifests, render, rollout, undo
from lambda_fn.job.credential import Credential, registry_host
from lambda_fn.job.event import Request
from lambda_fn.job.ports import Clock, Cluster, Registry
from lambda_fn.job.report import Report, RolloutReplacedError, RolloutStuckError
from lambda_fn.settings import Settings


def refresh(
    settings: Settings, request: Request, *, resolver: str, registry: Registry, cluster: Cluster, clock: Clock
) -> Report:
    """Give the proxy a new token and the configuration its template makes, and see the rollout through.

    Running it twice writes the new token twice and changes nothing else.

    Raises:
        RegistryError: No usable token; nothing is written.
        TemplateError: The template does not render; nothing is written.
        ClusterError: The API refused or failed. A Secret that was written before is in use. Where the Deployment could
            not be written, the ConfigMap has its earlier text again, or the message says that this failed, too.
        RolloutReplacedError: All was written, and somebody else's rollout took the place of this one.
        RolloutStuckError: The new token is written, but the pods do not become ready with the new configuration; its
            message says whether the one from before is in force again, its report what the run did.
    """
    credentials, warnings = _credentials(settings, registry, clock)
    configuration = rendered(settings, tuple(credentials), resolver, cluster.read_template())
    before = undo.Before(cluster.read_workload(), cluster.read_configuration())
    report = Report(
        dry_run=request.dry_run,
        hosts=tuple(credentials),
        expires_at=min(credential.expires_at for credential in credentials.values()),
        config_sha256=manifests.digest(configuration),
        warnings=warnings,
    )
    wanted = [manifests.secret(settings, credentials), manifests.config_map(settings, configuration)]
    report = _apply(wanted, cluster, report)
    if before.workload:
        annotations = _annotations(before, report.config_sha256, request, clock)
        report = _roll(settings, before, annotations, cluster, report)
    report = replace(report, cache_purged=request.purge_cache and report.rolled_out)
    return _rolled_out(settings, before, cluster, clock, report)


def _credentials(settings: Settings, registry: Registry, clock: Clock) -> tuple[dict[str, Credential], tuple[str, ...]]:
    """ECR host to credential for every registry, each accepted by its host, and what could not be asked."""
    now = clock.now()
    must_outlive = settings.refresh.schedule.longest_until(2)
    regions = dict.fromkeys(entry.region for entry in settings.registries)
    by_region = {region: registry.fetch_credential(region, now=now, must_outlive=must_outlive) for region in regions}
    by_host = {registry_host(entry, by_region[entry.region]): by_region[entry.region] for entry in settings.registries}
    answers = [registry.verify(host, credential) for host, credential in by_host.items()]
    return by_host, tuple(warning for warning in answers if warning)


def rendered(settings: Settings, hosts: tuple[str, ...], resolver: str, template: str) -> str:
    """The configuration that `template` gives for these ECR hosts, one for each registry in its order.

    Raises:
        TemplateError: It does not render.
    """
    upstreams = [
        render.Upstream(
            host=host,
            layer_host=render.layer_host(entry.region),
            repositories=list(entry.repositories),
            pattern=render.pattern(entry.repositories),
        )
        for host, entry in zip(hosts, settings.registries, strict=True)
    ]
    inputs = render.Inputs(
        domain=settings.domain,
        resolver=resolver,
        registries=upstreams,
        tls=settings.proxy.pod_tls_secret is not None,
        drain_seconds=settings.proxy.drain_seconds,
        cache=settings.proxy.cache,
        timeouts=settings.proxy.timeouts,
        blobs=settings.proxy.blobs,
    )
    return render.render(
        template, inputs, source=f"{manifests.TEMPLATE_KEY} of ConfigMap {settings.names.template_config_map}"
    )


def _annotations(before: undo.Before, config_sha256: str, request: Request, clock: Clock) -> dict[str, str]:
    """The Lambda's annotations: earlier instants are repeated, since what an apply leaves out it removes."""
    annotations = {**before.annotations, manifests.CONFIG_DIGEST: config_sha256}
    now = f"{clock.now():%FT%TZ}"
    if request.force_rollout:
        annotations[manifests.RESTARTED_AT] = now
    if request.purge_cache:
        annotations[manifests.CACHE_PURGED_AT] = now
    return annotations


def _apply(wanted: list[manifests.Manifest], cluster: Cluster, report: Report) -> Report:
    for manifest in wanted:
        applied = cluster.apply(manifest, dry_run=report.dry_run)
        title = manifests.title(manifest)
        report = replace(
            report,
            changed=report.changed + ((title,) if applied.changed else ()),
            taken_over=report.taken_over + tuple(f"{title}: {fields}" for fields in applied.taken_over),
            rolled_out=manifest["kind"] == "Deployment" and applied.changed,
        )
    return report


def _roll(
    settings: Settings, before: undo.Before, annotations: dict[str, str], cluster: Cluster, report: Report
) -> Report:
    """Start the rollout, or leave no text behind that no pod has tried: one that is evicted would start with it."""
    try:
        return _apply([manifests.rollout(settings, annotations)], cluster, report)
    except ClusterError as error:
        if not report.dry_run:
            undo.keep(settings, before, cluster, error)
        raise


def _rolled_out(settings: Settings, before: undo.Before, cluster: Cluster, clock: Clock, report: Report) -> Report:
    """The report completed, after the rollout is: also when this run started none, for then an older one may hang."""
    if before.workload is None:
        # Not an error: an installation may happen in any order, and the pods start by themselves once the Deployment is
        # there. PodsReady is 0 until then, which is what an alarm looks at.
        missing = f"Deployment {settings.names.workload} does not exist yet: apply the charts; nothing was rolled out"
        return replace(report, warnings=(*report.warnings, missing))
    if report.dry_run:
        return replace(report, pods_ready=before.workload.ready, pods_wanted=before.workload.wanted)
    spare_seconds = rollout.REPORT_SECONDS + undo.UNDO_SECONDS
    workload = rollout.wait(cluster, clock, settings.refresh.rollout_timeout_seconds, spare_seconds)
    report = replace(report, pods_ready=workload.ready, pods_wanted=workload.wanted)
    if not workload.wanted:
        none = f"Deployment {settings.names.workload} is scaled to zero: nothing serves; kubectl scale it up again"
        return replace(report, warnings=(*report.warnings, none))
    if not workload.complete:
        _give_up(settings, before, cluster, clock, report)
    if workload.config_sha256 != report.config_sha256:
        raise RolloutReplacedError(
            f"somebody else changed the rollout of Deployment {settings.names.workload} while this run waited for it, "
            "and it is complete with another configuration than this run's: run again",
            report,
        )
    return report


def _give_up(settings: Settings, before: undo.Before, cluster: Cluster, clock: Clock, report: Report) -> NoReturn:
    """Put the configuration from before back where that helps, and fail all the same."""
    why = cluster.explain_stuck_rollout()  # First: the pod that shows it goes when its rollout is undone.
    outcome = undo.undo(settings, before, cluster, clock, report)
    raise RolloutStuckError(
        f"the rollout of Deployment {settings.names.workload} is not complete in time; {report.pods_ready} of "
        f"{report.pods_wanted} pods serve, those of the previous revision among them, with the new token. "
        f"{outcome.said} Correct what follows, or the template in ConfigMap {settings.names.template_config_map}, and "
        f"run again: {why}",
        outcome.report,
    ) from outcome.error
