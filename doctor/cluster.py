"""What is in the cluster: the objects, who owns them, the credential, the configuration, the pods."""

from collections.abc import Iterator
from contextlib import closing

from doctor import binding, credential, objects, owners, workload
from doctor.charts import way_out
from doctor.finding import Finding, failure, fine, warning
from doctor.kubernetes import Kubernetes, Unanswered, Unreachable
from doctor.site import Site
from lambda_fn.connection import Connection
from lambda_fn.eks import Eks
from lambda_fn.errors import ClusterError


def examine(site: Site) -> Iterator[Finding]:
    """The cluster, and everything of the front door in it."""
    eks = Eks(site.settings, site.aws.client("eks", config=site.briefly), site.aws.client("sts", config=site.briefly))
    try:
        connection = eks.connect()
        kubernetes = Kubernetes(site, connection, eks.bearer())
    except ClusterError as error:
        yield failure("cluster", str(error), "the rest of the cluster was not looked at")
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


def _namespace(site: Site, kubernetes: Kubernetes) -> bool:
    return kubernetes.find(_document(site)) is not None


def _document(site: Site) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": site.settings.cluster.namespace}}


def _no_namespace(site: Site) -> Finding:
    said = f"there is no namespace {site.settings.cluster.namespace}"
    return failure(
        "cluster", f"{said}: the charts were never applied, or it was deleted", way_out(site, _document(site))
    )


def _inside(site: Site, kubernetes: Kubernetes, connection: Connection) -> Iterator[Finding]:
    yield from objects.examine(site, kubernetes)
    yield from binding.examine(site, kubernetes)
    yield from owners.examine(site, kubernetes)
    stored = yield from credential.examine(site, kubernetes)
    yield from workload.examine(site.settings, kubernetes, connection.resolver, stored)
