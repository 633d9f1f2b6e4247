"""Why the operator cannot read the cluster."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from cli.doctor.aws_calls import LOG_IN, TRY_AGAIN, error_text, fix_of
from lambda_fn.contract.errors import ClusterError
from lambda_fn.edges.eks import WAIT_UNTIL_ACTIVE
from lambda_fn.settings.cluster import Cluster


class KubernetesError(Exception):
    """The operator's request to the Kubernetes API failed.

    Attributes:
        message: Why.
        hint: The fix.
    """

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


class RequestRefusedError(KubernetesError):
    """The API refused this request. Others may succeed."""


class UnknownKindError(RequestRefusedError):
    """The cluster has no definition of objects of this kind."""


class UnreachableError(KubernetesError):
    """The API does not answer at all."""


class NotDescribedError(KubernetesError):
    """EKS does not say how the cluster is reached."""


class NoClusterError(NotDescribedError):
    """EKS knows no cluster of this name."""


@contextmanager
def for_an_operator(cluster: Cluster) -> Iterator[None]:
    """What a block that asks EKS raises becomes an operator's error: a ClusterError's fixes are those of the Lambda.

    Raises:
        NoClusterError: EKS knows no cluster of this name.
        NotDescribedError: It refuses, does not answer, or has no address of the cluster.
    """
    try:
        yield
    except ClusterError as error:
        raise _not_described(cluster, error) from error


def _not_described(cluster: Cluster, error: ClusterError) -> NotDescribedError:
    message = f"EKS in {cluster.region} does not describe cluster {cluster.name}"
    match error.__cause__:
        case ClientError() as cause if cause.response["Error"]["Code"] == "ResourceNotFoundException":
            hint = (
                "correct cluster.name and cluster.region, or use the cluster's account: --profile NAME. If the cluster "
                "was deleted: docs/operations.md, Uninstall"
            )
            return NoClusterError(f"{message}: {error_text(cause)}", hint)
        case ClientError() | BotoCoreError() as cause:
            hint = f"{LOG_IN}, with a right to eks:DescribeCluster, and check the route to EKS"
            if fix_of(cause) == TRY_AGAIN:
                hint = TRY_AGAIN
            return NotDescribedError(f"{message}: {error_text(cause)}", hint)
        case _:
            problem, _, fix = str(error).partition(". Fix: ")
            if fix == WAIT_UNTIL_ACTIVE:
                fix = "run this again when the cluster is ACTIVE"
            return NotDescribedError(problem, fix or "correct what the message names")
