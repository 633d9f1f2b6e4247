"""Putting back the configuration that a rollout replaced, when its pods do not become ready. Pure over its ports.

`docs/decisions/0012-undo-a-stuck-rollout.md` says why, and why in these cases only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lambda_fn.contract.errors import ClusterError
from lambda_fn.job import manifests, rollout
from lambda_fn.job.manifests import Manifest, Objects
from lambda_fn.job.ports import Clock, Cluster, Workload
from lambda_fn.job.report import Report

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
    def matches_pods(self) -> bool:
        """Whether the ConfigMap has the configuration that the pods run."""
        return self.configuration is not None and manifests.digest(self.configuration) == self.config_sha256


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of an undo.

    Attributes:
        report: The run's report, as things are now.
        message: One sentence for a person.
        error: Why the configuration could not be put back, or its pods not be checked.
    """

    report: Report
    message: str
    error: ClusterError | None = None


def undo(objects: Objects, before: Before, cluster: Cluster, clock: Clock, report: Report) -> Outcome:
    """Put back what `before` holds, where that helps; the Secret stays as it is, for its tokens are new."""
    name = f"ConfigMap {objects.names.config_map}"
    try:
        workload = cluster.read_workload()
        if workload is None:
            return Outcome(report, f"{name} keeps the new configuration, because the Deployment is gone.")
        if reason := obstacle(before, workload, report):
            return Outcome(report, f"{name} keeps the new configuration, because {reason}.")
        report = _put_back(objects, before, cluster, report)
    except ClusterError as error:
        return Outcome(report, _failed(error), error)
    state = f"{name} and the Deployment have the earlier configuration again"
    try:
        workload = rollout.wait(cluster, clock, COMPLETE_SECONDS)
    except ClusterError as error:
        return Outcome(report, f"{state}; whether all its pods serve is unknown: {error}.", error)
    report = replace(report, pods_ready=workload.ready, pods_wanted=workload.wanted)
    missing = f", but not all its pods serve yet: {workload.ready} of {workload.wanted}"
    return Outcome(report, f"{state}{'' if workload.complete else missing}.")


def restore_text(objects: Objects, before: Before, cluster: Cluster, failure: ClusterError) -> None:
    """Put the text that the pods run back into the ConfigMap, because the rollout could not be started: `failure`.

    The Deployment is read first: a write whose answer is an error may have succeeded all the same, and its pods must
    not start with the earlier text under the digest of the new one.

    Raises:
        ClusterError: It could not be put back; the message has `failure`, too.
    """
    if not before.matches_pods:
        return
    try:
        workload = cluster.read_workload()
        if workload and workload.config_sha256 == before.config_sha256:
            cluster.apply(_configuration(objects, before), dry_run=False)
    except ClusterError as error:
        raise ClusterError(f"{failure}. {_failed(error)}") from failure


def obstacle(before: Before, workload: Workload, report: Report) -> str | None:
    """Why the earlier configuration is not put back; None where it can be and helps.

    A revision works when one of its pods is ready. So a configuration that did not work is never put back, and one
    that is known to work is never replaced.
    """
    was = before.config_sha256
    reasons = {
        "this run did not start the rollout": not report.rolled_out,
        "another writer has changed the rollout since": workload.config_sha256 != report.config_sha256,
        "another writer, such as a deployment of the charts, has changed the pods since": before.workload is not None
        and workload.charts_sha256 != before.workload.charts_sha256,
        "a new pod is ready already: the rollout is slow, and continues": workload.updated_ready > 0,
        "there was no configuration before": was is None or before.configuration is None,
        "the configuration is the same as before": was == report.config_sha256,
        "the pods do not run what it held before": not before.matches_pods,
        "no pod was ready with the earlier configuration": not before.workload or not before.workload.updated_ready,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _failed(error: ClusterError) -> str:
    return f"Putting back the earlier configuration failed, too: {error}. Drain no node until it is fixed."


def _configuration(objects: Objects, before: Before) -> Manifest:
    return objects.config_map(before.configuration or "")


def _put_back(objects: Objects, before: Before, cluster: Cluster, report: Report) -> Report:
    """The annotations first, with which the Deployment returns to the ReplicaSet whose pods still run.

    In the other order a failure between the two writes would let the new pods start with the earlier configuration
    under the digest of the new one, and no later run would notice.
    """
    annotations = objects.rollout(before.annotations)
    configuration = _configuration(objects, before)
    for manifest in (annotations, configuration):
        cluster.apply(manifest, dry_run=False)
    put_back = {manifests.title(annotations), manifests.title(configuration)}
    changed = tuple(title for title in report.changed if title not in put_back)
    return replace(report, changed=changed, cache_purged=False, undone=True)
