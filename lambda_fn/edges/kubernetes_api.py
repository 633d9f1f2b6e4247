"""The proxy's namespace in the Kubernetes API: the port `Cluster` over lightkube."""

import json
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from lightkube import ApiError
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import ConfigMap, Pod, Secret
from lightkube.types import PatchType

from lambda_fn.contract import secret
from lambda_fn.contract.errors import ClusterError
from lambda_fn.contract.objects import CONFIG_KEY, TEMPLATE_KEY, selector_labels
from lambda_fn.edges.kubernetes_session import KubernetesSession, conflicts, is_missing
from lambda_fn.job import diagnosis, manifests
from lambda_fn.job.api_error import Action
from lambda_fn.job.killed_pods import killed_pods
from lambda_fn.job.manifests import Manifest
from lambda_fn.job.ports import Applied, Workload
from lambda_fn.settings.names import Names

Kind = TypeVar("Kind", bound=Secret | ConfigMap | Deployment)
_KINDS: dict[str, type[Secret | ConfigMap | Deployment]] = {
    "Secret": Secret,
    "ConfigMap": ConfigMap,
    "Deployment": Deployment,
}
_BOOKKEEPING = frozenset({"managedFields", "resourceVersion", "generation"})


class KubernetesApi:
    """Reads and writes the objects named in the settings, and no others."""

    def __init__(self, names: Names, namespace: str, session: KubernetesSession) -> None:
        self._names = names
        self._namespace = namespace
        self._session = session

    def read_template(self) -> str:
        """The nginx template.

        Raises:
            ClusterError: Its ConfigMap or the key in it is missing, or the API refuses.
        """
        name = self._names.template_config_map
        found = self._find(ConfigMap, name)
        template: str | None = (found.data or {}).get(TEMPLATE_KEY) if found else None
        if template is None:
            missing = f"has no key {TEMPLATE_KEY}" if found else "does not exist"
            raise ClusterError(
                f"ConfigMap {name} in namespace {self._namespace} {missing}. Fix: apply the charts (cdk deploy, or "
                "frontdoor manifests | kubectl apply -f -)"
            )
        return template

    def read_configuration(self) -> str | None:
        """The rendered configuration in the ConfigMap, None when there is none."""
        found = self._find(ConfigMap, self._names.config_map)
        configuration: str | None = (found.data or {}).get(CONFIG_KEY) if found else None
        return configuration

    def read_workload(self) -> Workload | None:
        """The Deployment, None when there is none."""
        found = self._find(Deployment, self._names.workload)
        return workload_of(found) if found else None

    def read_expiry(self) -> datetime | None:
        """When the first token in the Secret expires, None when that is unknown. Asks once: it is for a metric."""
        found = self._find(Secret, self._names.secret, patient=False)
        return secret.expires_at(found.data or {}) if found else None

    def read_tokens(self) -> dict[str, secret.Entry]:
        """The tokens in the Secret by ECR host; none where there is no Secret, or none that a refresh wrote."""
        found = self._find(Secret, self._names.secret)
        with suppress(ValueError):
            return secret.parse(found.data or {}) if found else {}
        return {}

    def apply(self, manifest: Manifest, *, dry_run: bool) -> Applied:
        """Server-side apply of `manifest`.

        A field that another writer has changed since is named, and then taken back: a refresh that stopped there would
        let the token expire. A missing Secret or ConfigMap is created, a missing Deployment is an error.
        """
        kind, name = _KINDS[manifest["kind"]], manifest["metadata"]["name"]
        before = _digests(self._find(kind, name))
        if before.content is None and kind is Deployment:
            # The charts make it; an apply of its annotations alone would be refused for want of `create`.
            raise ClusterError(
                f"Deployment {name} in namespace {self._namespace} is gone. Fix: apply the charts, run again"
            )
        taken_over: tuple[str, ...] = ()
        try:
            after = _digests(self._patch(kind, manifest, force=False, dry_run=dry_run))
        except ApiError as error:
            taken_over = conflicts(error)
            after = _digests(self._patch(kind, manifest, force=True, dry_run=dry_run))
        return Applied(
            changed=before != after, template_changed=before.template != after.template, taken_over=taken_over
        )

    def killed_pods(self, *, since: datetime) -> tuple[str, ...]:
        """Evictions of pods and containers ended for their memory since then, one text each. Asks once."""
        return killed_pods(self._pods(selector_labels(self._names.workload)), since=since)

    def explain_stuck_rollout(self) -> str:
        """Which pod does not become ready, why, and what its container printed last, without secrets."""
        try:
            deployment = self._find(Deployment, self._names.workload)
            if deployment is None:
                return "the Deployment is gone"
            problems = diagnosis.deployment_problems(deployment)
            pod = diagnosis.newest_unready(self._pods(selector_labels(self._names.workload)))
        except ClusterError as error:
            return f"the cause is unknown: {error}"
        problem = diagnosis.pod_problem(pod) if pod else None
        return diagnosis.report(problems, problem, self._log(problem) if problem else ())

    def _find(self, kind: type[Kind], name: str, *, patient: bool = True) -> Kind | None:
        try:
            return self._session.call(
                Action("get", _plural(kind), name),
                lambda client: client.get(kind, name),
                answers=is_missing,
                patient=patient,
            )
        except ApiError:
            return None

    def _patch(self, kind: type[Kind], manifest: Manifest, *, force: bool, dry_run: bool) -> Kind:
        name = manifest["metadata"]["name"]
        return self._session.call(
            Action("patch", _plural(kind), name),
            lambda client: client.patch(kind, name, manifest, patch_type=PatchType.APPLY, force=force, dry_run=dry_run),
            answers=lambda error: bool(conflicts(error)) and not force,
        )

    def _pods(self, labels: dict[str, str]) -> list[Pod]:
        return self._session.call(
            Action("list", "pods"), lambda client: list(client.list(Pod, labels={**labels})), patient=False
        )

    def _log(self, problem: diagnosis.Problem) -> list[str]:
        if problem.container is None:
            return []
        try:
            return self._session.call(
                Action("get", "pods/log", problem.pod),
                lambda client: list(
                    client.log(problem.pod, container=problem.container, tail_lines=diagnosis.LOG_LINES, newlines=False)
                ),
                patient=False,
            )
        except ClusterError as error:
            # A container that never started has no log; nor is a missing right worth losing the explanation for.
            return [f"no log: {error}"]


def _plural(kind: type[object]) -> str:
    return f"{kind.__name__.lower()}s"


def workload_of(deployment: Deployment) -> Workload:
    """How far a Deployment is: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#complete-deployment."""
    spec, status, metadata = deployment.spec, deployment.status, deployment.metadata
    wanted = 1 if spec is None or spec.replicas is None else spec.replicas
    template = spec.template.to_dict() if spec else {}
    observed = bool(status and metadata and (status.observedGeneration or 0) >= (metadata.generation or 0))
    updated = (status.updatedReplicas if status else None) or 0
    ready = (status.availableReplicas if status else None) or 0
    present = (status.replicas if status else None) or 0
    return Workload(
        wanted=wanted,
        ready=ready,
        # If all older pods are available, the other available ones are new.
        updated_ready=max(0, ready - max(0, present - updated)) if observed else 0,
        complete=observed and updated == present == wanted and ready >= wanted,
        charts_sha256=manifests.charts_digest(template),
        annotations=(template.get("metadata") or {}).get("annotations") or {},
    )


class _Digests(NamedTuple):
    """Digests, so that no old token lies in a traceback with locals.

    Attributes:
        content: Of an object without what the API server keeps about it; None of no object.
        template: Of a Deployment's pod template.
    """

    content: str | None
    template: str | None


def _digests(resource: Any) -> _Digests:  # noqa: ANN401 - any of lightkube's resources, or none
    """An apply that leaves them as they were changed nothing."""
    if resource is None:
        return _Digests(None, None)
    content: dict[str, Any] = resource.to_dict()
    content.pop("status", None)
    content["metadata"] = {key: value for key, value in content["metadata"].items() if key not in _BOOKKEEPING}
    template = content.get("spec", {}).get("template")
    return _Digests(_digest(content), _digest(template) if template else None)


def _digest(content: object) -> str:
    return manifests.digest(json.dumps(content, sort_keys=True, default=str))
