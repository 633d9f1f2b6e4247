"""Writing a new configuration and seeing its rollout through. Pure over its ports."""

from dataclasses import dataclass, replace
from typing import NoReturn

from lambda_fn.contract.errors import ClusterError
from lambda_fn.contract.objects import CACHE_PURGED_AT, CONFIG_SHA256, RESTARTED_AT
from lambda_fn.contract.times import instant_text
from lambda_fn.job import manifests, rollout, undo
from lambda_fn.job.event import Request
from lambda_fn.job.manifests import Manifest, Objects
from lambda_fn.job.ports import DIAGNOSIS_SECONDS, Clock, Cluster
from lambda_fn.job.report import Report, RolloutReplacedError, RolloutStuckError, unfinished_after
from lambda_fn.job.undo import Before


@dataclass(frozen=True, slots=True)
class Update:
    """One run's change of the configuration.

    Attributes:
        objects: Builds what is written.
        before: What the run found.
        cluster: Where it writes.
        clock: Time, and the invocation's end.
        timeout_seconds: How long it waits for the rollout.
    """

    objects: Objects
    before: Before
    cluster: Cluster
    clock: Clock
    timeout_seconds: float

    def run(self, request: Request, configuration: str, report: Report) -> Report:
        """Write the ConfigMap, roll the Deployment where anything changed, and wait.

        Raises:
            ClusterError: The API refused or failed; an `UnfinishedError` while the run waited.
            RolloutReplacedError: Another writer's rollout replaced this one.
            RolloutStuckError: The pods do not become ready.
        """
        config_sha256 = manifests.digest(configuration)
        report = replace(report, config_sha256=config_sha256)
        report = apply(self.objects.config_map(configuration), self.cluster, report)
        if self.before.workload:
            report = self._roll(self._annotations(request, config_sha256), report)
        report = replace(report, cache_purged=request.purge_cache and report.rolled_out)
        return self._wait_for_rollout(report)

    def _annotations(self, request: Request, config_sha256: str) -> dict[str, str]:
        """The Lambda's annotations: earlier instants are repeated, since an apply removes what it leaves out."""
        annotations = {**self.before.annotations, CONFIG_SHA256: config_sha256}
        now = instant_text(self.clock.now())
        if request.force_rollout:
            annotations[RESTARTED_AT] = now
        if request.purge_cache:
            annotations[CACHE_PURGED_AT] = now
        return annotations

    def _roll(self, annotations: dict[str, str], report: Report) -> Report:
        """Start the rollout, or leave no text behind that no pod has tried: an evicted pod would start with it."""
        try:
            return apply(self.objects.rollout(annotations), self.cluster, report)
        except ClusterError as error:
            if not report.dry_run:
                undo.restore_text(self.objects, self.before, self.cluster, error)
            raise

    def _wait_for_rollout(self, report: Report) -> Report:
        """The report after the rollout; also when this run started none, since an older one may be stuck."""
        name = f"Deployment {self.objects.names.workload}"
        if self.before.workload is None:
            # Not an error: an installation may happen in any order, and the pods start by themselves once the
            # Deployment is there. PodsReady is 0 until then, and an alarm looks at that.
            return _warned(report, f"{name} does not exist yet, so nothing was rolled out. Fix: apply the charts")
        if report.dry_run:
            return replace(report, pods_ready=self.before.workload.ready, pods_wanted=self.before.workload.wanted)
        spare_seconds = DIAGNOSIS_SECONDS + undo.UNDO_SECONDS
        with unfinished_after(report):
            workload = rollout.wait(self.cluster, self.clock, self.timeout_seconds, spare_seconds)
        report = replace(report, pods_ready=workload.ready, pods_wanted=workload.wanted)
        if not workload.wanted:
            report = replace(report, rolled_out=False)  # there are no pods to replace
            return _warned(report, f"{name} is scaled to zero, so no pod serves. Fix: kubectl scale it up again")
        if not workload.complete:
            self._fail_for_stuck_rollout(report)
        if workload.config_sha256 != report.config_sha256:
            raise RolloutReplacedError(
                f"another writer changed the rollout of {name} while this run waited for it, and it is complete with "
                "another configuration than this run's. Fix: run again",
                report,
            )
        return report

    def _fail_for_stuck_rollout(self, report: Report) -> NoReturn:
        """Put the earlier configuration back where that helps, and fail all the same."""
        # First: the pod that shows the cause is deleted when its rollout is undone.
        cause, _, details = self.cluster.explain_stuck_rollout().partition("\n")
        outcome = undo.undo(self.objects, self.before, self.cluster, self.clock, report)
        names = self.objects.names
        more = f"\n{details}" if details else ""
        raise RolloutStuckError(
            f"{cause.removesuffix('.')}. The rollout of Deployment {names.workload} is not complete; "
            f"{report.pods_ready} of {report.pods_wanted} pods serve. {report.tokens()}. {outcome.message} "
            f"Fix: correct the cause, or the template in ConfigMap {names.template_config_map}, and run again.{more}",
            outcome.report,
        ) from outcome.error


def apply(manifest: Manifest, cluster: Cluster, report: Report) -> Report:
    """The report after `manifest` was applied; after a dry run of that, where the run is one."""
    applied = cluster.apply(manifest, dry_run=report.dry_run)
    title = manifests.title(manifest)
    return replace(
        report,
        changed=report.changed + ((title,) if applied.changed else ()),
        taken_over=report.taken_over + tuple(f"{title}: {fields}" for fields in applied.taken_over),
        rolled_out=applied.template_changed,
    )


def _warned(report: Report, warning: str) -> Report:
    return replace(report, warnings=(*report.warnings, warning))
