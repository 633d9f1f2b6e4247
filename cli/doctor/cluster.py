"""What is in the cluster: the objects, who owns them, the credential, the configuration, the pods."""

from collections.abc import Iterator
from contextlib import closing

from botocore.exceptions import BotoCoreError, ClientError

from cli.doctor import binding, credential, objects, owners, workload
from cli.doctor.asking import said
from cli.doctor.charts import way_in
from cli.doctor.finding import Finding, failure, fine, warning
from cli.doctor.kubernetes import Kubernetes, Unanswered, Unreachable
from cli.doctor.site import Site
from lambda_fn.contract.errors import ClusterError
from lambda_fn.edges.eks import Eks
from lambda_fn.job.connection import Connection


def examine(site: Site) -> Iterator[Finding]:
    """The cluster, and everything of the front door in it."""
    eks = Eks(site.settings, site.aws.client("eks", config=site.briefly), site.aws.client("sts", config=site.briefly))
    try:
        connection = eks.connect()
        kubernetes = Kubernetes(site, connection, eks.bearer())
    except ClusterError as error:
        yield _unknown(site, error)
        return
    name = site.settings.cluster.name
    with closing(kubernetes):
        try:
            there = _namespace(site, kubernetes)
        except Unanswered as error:
            yield failure("cluster", error.said, error.way_out)
            return
        if there:
            yield fine("cluster", f"{name} answers at {connection.endpoint}, and knows you")
        else:
            yield _no_namespace(site)
            return
        try:
            yield from _inside(site, kubernetes, connection)
        except Unreachable as error:
            yield failure("cluster", f"{error.said}; the rest was not looked at", error.way_out)
        except Unanswered as error:
            yield warning("cluster", error.said, error.way_out)


def _unknown(site: Site, error: ClusterError) -> Finding:
    """EKS's own words: the message of the error is for whoever reads the Lambda's log."""
    cluster = site.settings.cluster
    what = f"EKS in {cluster.region} does not say where cluster {cluster.name} is"
    match error.__cause__:
        case ClientError() as refusal if refusal.response["Error"]["Code"] == "ResourceNotFoundException":
            way_out = "correct cluster.name and cluster.region, or ask in its account: --profile NAME"
            return failure("cluster", f"{what}: {said(refusal)}", way_out)
        case ClientError() | BotoCoreError() as refusal:
            way_out = "log in with a right to eks:DescribeCluster, and see that EKS can be reached from here"
            return failure("cluster", f"{what}: {said(refusal)}", way_out)
        case _:
            return failure("cluster", str(error), "look again when it is ACTIVE")


def _namespace(site: Site, kubernetes: Kubernetes) -> bool:
    return kubernetes.find(_document(site)) is not None


def _document(site: Site) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": site.settings.cluster.namespace}}


def _no_namespace(site: Site) -> Finding:
    what = f"there is no namespace {site.settings.cluster.namespace}"
    return failure(
        "cluster", f"{what}: the charts were never applied, or it was deleted", way_in(site, _document(site))
    )


def _inside(site: Site, kubernetes: Kubernetes, connection: Connection) -> Iterator[Finding]:
    yield from objects.examine(site, kubernetes)
    yield from binding.examine(site, kubernetes)
    yield from owners.examine(site, kubernetes)
    stored = yield from credential.examine(site, kubernetes)
    yield from workload.examine(site.settings, kubernetes, connection.resolver, stored)
