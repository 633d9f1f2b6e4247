"""Whether the pods run the configuration that the template and the settings give."""

from collections.abc import Iterator

from lightkube.resources.apps_v1 import Deployment

from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok, warning
from cli.doctor.kubernetes import Kubernetes
from cli.doctor.kubernetes_errors import RequestRefusedError
from lambda_fn.contract import secret
from lambda_fn.contract.errors import TemplateError
from lambda_fn.contract.objects import CONFIG_KEY, TEMPLATE_KEY
from lambda_fn.edges.kubernetes_api import workload_of
from lambda_fn.job import manifests
from lambda_fn.job.configuration import rendered
from lambda_fn.job.tokens import host_of


def run(context: CheckContext) -> Iterator[Finding]:
    """The rendered ConfigMap, beside the pods' digest and beside the template."""
    settings, kubernetes = context.settings, context.kubernetes
    name = settings.names.config_map
    found = kubernetes.find_named("Deployment", settings.names.workload, api_version="apps/v1")
    if found is None:
        return  # The check `objects` reports it.
    deployment: Deployment = Deployment.from_dict(found)  # type: ignore[assignment]  # lightkube types its base class
    configuration = _text(kubernetes, name, CONFIG_KEY)
    if configuration is None:
        yield failed(f"ConfigMap {name} is missing or empty", "run a refresh (docs/operations.md, first table)")
    elif workload_of(deployment).config_sha256 != manifests.digest(configuration):
        yield failed(
            f"ConfigMap {name} was edited, or a run ended early: the pods run another configuration",
            "run a refresh (docs/operations.md, first table): it writes the configuration again and rolls the pods",
        )
    else:
        yield from _compare(context, configuration)


def _compare(context: CheckContext, configuration: str) -> Iterator[Finding]:
    """The configuration beside what the template gives now."""
    settings, kubernetes = context.settings, context.kubernetes
    template = _text(kubernetes, settings.names.template_config_map, TEMPLATE_KEY)
    stored = _stored(kubernetes, settings.names.secret)
    hosts = tuple(host for registry in settings.registries if (host := host_of(registry, stored)))
    if template is None or len(hosts) < len(settings.registries):
        return  # The checks `objects` and `credential` report it.
    try:
        expected = rendered(settings, hosts, context.connection.resolver, template)
    except TemplateError as error:
        yield failed(str(error), "correct the template ConfigMap, then run a refresh")
        return
    if expected == configuration:
        yield ok(f"the pods run what the template gives (SHA-256 {manifests.digest(configuration)[:12]}...)")
        return
    yield warning(
        "the pods run another configuration than the template and this settings file give",
        "after a rollback, first correct what the log of that run names (docs/operations.md, When a refresh fails); "
        "otherwise deploy if the file is newer than the deployment; then run a refresh",
    )


def _stored(kubernetes: Kubernetes, name: str) -> dict[str, secret.Entry]:
    """What the Secret holds; nothing where the check `credential` reports that it cannot be read."""
    try:
        return secret.parse((kubernetes.find_named("Secret", name) or {}).get("data") or {})
    except (RequestRefusedError, ValueError):
        return {}


def _text(kubernetes: Kubernetes, config_map: str, key: str) -> str | None:
    found = kubernetes.find_named("ConfigMap", config_map) or {}
    text: str | None = (found.get("data") or {}).get(key)
    return text


CHECK = Check("configuration", Category.CLUSTER, run, needs=("cluster",), runbook="docs/operations.md#rolloutstuck")
