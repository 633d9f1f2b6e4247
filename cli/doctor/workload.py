"""The configuration the pods run with, and how the pods are."""

from collections.abc import Iterator
from typing import Any

from lightkube.resources.apps_v1 import Deployment

from cli.doctor.credential import Stored, host_of
from cli.doctor.finding import Finding, failure, fine, warning
from cli.doctor.kubernetes import Kubernetes
from lambda_fn.contract.errors import TemplateError
from lambda_fn.edges.kubernetes_api import workload_of
from lambda_fn.job import diagnosis, manifests
from lambda_fn.job.refresh import rendered
from lambda_fn.settings import Settings

_RUN = "run a refresh"


def examine(settings: Settings, kubernetes: Kubernetes, resolver: str, stored: Stored) -> Iterator[Finding]:
    """Whether the configuration is the one of the template, whether the pods run it, and whether they are ready."""
    place = {"namespace": settings.cluster.namespace}
    found = kubernetes.find(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": place | {"name": settings.names.workload}}
    )
    if found is None:
        return  # Said already, among the objects.
    deployment: Deployment = Deployment.from_dict(found)  # type: ignore[assignment]  # lightkube types its base class
    written = _text(kubernetes, settings, settings.names.config_map, manifests.CONFIG_KEY)
    if written is None:
        yield failure("configuration", f"ConfigMap {settings.names.config_map} is missing or empty", _RUN)
    else:
        yield from _configuration(settings, kubernetes, resolver, stored, written, deployment)
    yield _pods(kubernetes, deployment)


def _configuration(
    settings: Settings, kubernetes: Kubernetes, resolver: str, stored: Stored, written: str, deployment: Deployment
) -> Iterator[Finding]:
    name = settings.names.config_map
    if workload_of(deployment).config_sha256 != manifests.digest(written):
        yield failure(
            "configuration",
            f"ConfigMap {name} is not what the pods were rolled out with: somebody edited it, or a run broke off",
            f"{_RUN}: it writes the configuration anew and rolls the pods",
        )
        return
    template = _text(kubernetes, settings, settings.names.template_config_map, manifests.TEMPLATE_KEY)
    hosts = [host_of(registry, stored) for registry in settings.registries]
    if template is None or None in hosts:
        return  # Said already.
    try:
        due = rendered(settings, tuple(host for host in hosts if host), resolver, template)
    except TemplateError as error:
        yield failure("configuration", str(error), "correct the template ConfigMap, then run a refresh")
        return
    if due != written:
        yield warning(
            "configuration",
            "the template, with this settings file, would give another configuration than the one in use",
            "if a rollout was undone, correct first what that run's log says (docs/operations.md, When a refresh "
            f"fails); otherwise deploy if the file is newer than the deployment, then {_RUN}",
        )
    else:
        short = manifests.digest(written)[:12]
        yield fine("configuration", f"the pods run what the template gives (SHA-256 {short}...)")


def _pods(kubernetes: Kubernetes, deployment: Deployment) -> Finding:
    state = workload_of(deployment)
    said = f"{state.ready} of {state.wanted} serve"
    if state.complete:
        return fine("pods", said)
    labels = (deployment.spec.selector.matchLabels if deployment.spec else None) or {}
    pod = diagnosis.newest_unready(kubernetes.pods({**labels}))
    trouble = diagnosis.trouble(pod) if pod else None
    log = kubernetes.log(trouble.pod, trouble.container, 3) if trouble and trouble.container else []
    why = " ".join(diagnosis.report(diagnosis.deployment_troubles(deployment), trouble, log).split())
    way_out = "correct what it says, then run a refresh; docs/operations.md, When a refresh fails"
    report = failure if state.ready == 0 else warning
    return report("pods", f"{said}, the rollout is not complete: {why}", way_out)


def _text(kubernetes: Kubernetes, settings: Settings, name: str, key: str) -> str | None:
    place: dict[str, Any] = {"name": name, "namespace": settings.cluster.namespace}
    found = kubernetes.find({"apiVersion": "v1", "kind": "ConfigMap", "metadata": place})
    text: str | None = ((found or {}).get("data") or {}).get(key)
    return text
