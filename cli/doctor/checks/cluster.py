"""Whether the cluster's API answers and accepts the operator, and whether the namespace exists."""

from collections.abc import Iterator

from cli.doctor.charts import missing_hint
from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok, warning
from cli.doctor.kubernetes_errors import KubernetesError
from lambda_fn.contract import kubectl


def run(context: CheckContext) -> Iterator[Finding]:
    """EKS, then the Kubernetes API, then the namespace."""
    cluster = context.settings.cluster
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": cluster.namespace}}
    try:
        found = context.kubernetes.find(namespace)
    except KubernetesError as error:
        yield failed(error.message, error.hint, fatal=True)
        return
    if found is None:
        message = f"namespace {cluster.namespace} does not exist: the charts were never applied, or it was deleted"
        yield failed(message, missing_hint(namespace, context.settings.manifests, context.config), fatal=True)
        return
    too_far = None if context.settings.manifests == "external" else kubectl.unsupported(context.kubernetes_version)
    if too_far:
        problem, _, fix = too_far.partition(". Fix: ")
        yield warning(problem, fix)
    yield ok(f"cluster {cluster.name} answers at {context.connection.endpoint} and accepts your identity")


CHECK = Check("cluster", Category.CLUSTER, run)
