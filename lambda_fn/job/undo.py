"""Putting back the configuration that a rollout replaced, when its pods do not become ready. Pure over its ports.

`docs/decisions/0012-undo-a-stuck-rollout.md` says why, and why in these cases only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lambda_fn.contract.errors import ClusterError
from lambda_fn.job import manifests, rollout
from lambda_fn.job.ports import Clock, Cluster, Workload
from lambda_fn.job.report import Report
from lambda_fn.settings import Settings

COMPLETE_SECONDS = 30
"""How long the earlier revision may take to be complete again: its pods still run, so it is a matter of seconds."""
UNDO_SECONDS = COMPLETE_SECONDS + 15
"""What the whole takes of the invocation's time at most, two writes included."""


@dataclass(frozen=True, slots=True)
class Before:
    """What a run found in the cluster.

    Attributes:
        workload: The Deployment; None when there was none.
        configuration: The text of the ConfigMap; None when there was none.
    """

    workload: Workload | None
    configuration: str | None

    @property
    def annotations(self) -> Mapping[str, str]:
        """The Lambda's annotations of the Deployment's pod template."""
        return manifests.own_annotations(self.workload.annotations if self.workload else {})

    @property
    def config_sha256(self) -> str | None:
        """The digest of the configuration that the pods run."""
        return self.workload.config_sha256 if self.workload else None

    @property
    def is_kept(self) -> bool:
        """Whether the ConfigMap holds what the pods run."""
        return self.configuration is not None and manifests.digest(self.configuration) == self.config_sha256


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the configuration.

    Attributes:
        report: The run's, as things are now.
        said: One sentence for a person.
        error: Why it could not be put back, or not be seen whether its pods are.
    """

    report: Report
    said: str
    error: ClusterError | None = None


def undo(settings: Settings, before: Before, cluster: Cluster, clock: Clock, report: Report) -> Outcome:
    """Put back what `before` holds, where that helps; the Secret stays as it is, for its token is new."""
    name = f"ConfigMap {settings.names.config_map}"
    try:
        workload = cluster.read_workload()
        if workload is None:
            return Outcome(report, f"{name} keeps the new configuration, for the Deployment is gone.")
        if reason := obstacle(before, workload, report):
            return Outcome(report, f"{name} is left as it is, for {reason}.")
        report = _put_back(settings, before, cluster, report)
    except ClusterError as error:
        return Outcome(report, _failed(error), error)
    said = f"{name} and the Deployment have the configuration from before again"
    try:
        workload = rollout.wait(cluster, clock, COMPLETE_SECONDS)
    except ClusterError as error:
        return Outcome(report, f"{said}; whether its pods are all back could not be seen: {error}.", error)
    report = replace(report, pods_ready=workload.ready, pods_wanted=workload.wanted)
    missing = f", though its pods are not all back yet: {workload.ready} of {workload.wanted} serve"
    return Outcome(report, f"{said}{'' if workload.complete else missing}.")


def keep(settings: Settings, before: Before, cluster: Cluster, failure: ClusterError) -> None:
    """Put the text that the pods run back into the ConfigMap, for the rollout could not be started: `failure`.

    The Deployment is asked first: a write whose answer is an error may have been done all the same, and its pods must
    not start with the earlier text under the digest of the new one.

    Raises:
        ClusterError: It could not be put back; the message has `failure`, too.
    """
    if not before.is_kept:
        return
    try:
        workload = cluster.read_workload()
        if workload and workload.config_sha256 == before.config_sha256:
            cluster.apply(_configuration(settings, before), dry_run=False)
    except ClusterError as error:
        raise ClusterError(f"{failure}. {_failed(error)}") from failure


def obstacle(before: Before, workload: Workload, report: Report) -> str | None:
    """Why the configuration from before is not put back; None where it can be and helps.

    A revision works when one of its pods is ready. So nothing is put back that did not work, and nothing is taken away
    that is known to.
    """
    was = before.config_sha256
    reasons = {
        "this run did not start the rollout": not report.rolled_out,
        "somebody else has changed the rollout since": workload.config_sha256 != report.config_sha256,
        "somebody else, such as a deployment of the charts, has changed the pods since": before.workload is not None
        and workload.charts_sha256 != before.workload.charts_sha256,
        "a new pod is ready already: the rollout is slow, and goes on": workload.updated_ready > 0,
        "there was no configuration before": was is None or before.configuration is None,
        "the configuration is the same as before": was == report.config_sha256,
        "what it held before is not what the pods run": not before.is_kept,
        "no pod was ready with the configuration from before": not before.workload or not before.workload.updated_ready,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _failed(error: ClusterError) -> str:
    return f"Putting back the configuration from before failed, too, so drain no node: {error}."


def _configuration(settings: Settings, before: Before) -> manifests.Manifest:
    return manifests.config_map(settings, before.configuration or "")


def _put_back(settings: Settings, before: Before, cluster: Cluster, report: Report) -> Report:
    """The annotations first, with which the Deployment returns to the ReplicaSet whose pods still run.

    The other way round a failure between the two writes would let the new pods start with the earlier configuration
    under the digest of the new one, and no later run would see that.
    """
    annotations = manifests.rollout(settings, before.annotations)
    configuration = _configuration(settings, before)
    for manifest in (annotations, configuration):
        cluster.apply(manifest, dry_run=False)
    put_back = {manifests.title(annotations), manifests.title(configuration)}
    changed = tuple(title for title in report.changed if title not in put_back)
    return replace(report, changed=changed, cache_purged=False, undone=True)
