"""Whether the cluster's API answers and accepts the operator, and whether the namespace exists."""

from collections.abc import Iterator

from botocore.exceptions import BotoCoreError, ClientError

from cli.doctor.aws_calls import error_text
from cli.doctor.charts import missing_hint
from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok, warning
from cli.doctor.kubernetes import KubernetesError
from lambda_fn.contract import kubectl
from lambda_fn.contract.errors import ClusterError


def run(context: CheckContext) -> Iterator[Finding]:
    """EKS, then the Kubernetes API, then the namespace."""
    cluster = context.settings.cluster
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": cluster.namespace}}
    try:
        found = context.kubernetes.find(namespace)
    except ClusterError as error:
        yield not_described(cluster.name, cluster.region, error)
        return
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


def not_described(cluster: str, region: str, error: ClusterError) -> Finding:
    """EKS's own error: the message of a ClusterError is for readers of the Lambda's log."""
    message = f"EKS in {region} does not describe cluster {cluster}"
    match error.__cause__:
        case ClientError() as cause if cause.response["Error"]["Code"] == "ResourceNotFoundException":
            hint = (
                "correct cluster.name and cluster.region, or use the cluster's account: --profile NAME. If the cluster "
                "was deleted: docs/operations.md, Uninstall"
            )
            return failed(f"{message}: {error_text(cause)}", hint, fatal=True)
        case ClientError() | BotoCoreError() as cause:
            hint = "log in with a right to eks:DescribeCluster, and check the route to EKS"
            return failed(f"{message}: {error_text(cause)}", hint, fatal=True)
        case _:
            return failed(str(error), "run the doctor again when the cluster is ACTIVE", fatal=True)


CHECK = Check("cluster", Category.CLUSTER, run)
