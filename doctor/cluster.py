"""What is in the cluster: the objects, who owns them, the credential, the configuration, the pods."""

from collections.abc import Iterator
from contextlib import closing

from doctor import credential, objects, workload
from doctor.finding import Finding, failure, fine, warning
from doctor.kubernetes import Kubernetes, Unreadable
from doctor.site import ASKED_BRIEFLY, Site
from lambda_fn.connection import Connection
from lambda_fn.eks import Eks
from lambda_fn.errors import ClusterError


def examine(site: Site) -> Iterator[Finding]:
    """The cluster, and everything of the front door in it."""
    eks = Eks(site.settings, site.aws.client("eks", config=ASKED_BRIEFLY), site.aws.client("sts", config=ASKED_BRIEFLY))
    try:
        connection = eks.connect()
        kubernetes = Kubernetes(site.settings, connection, eks.bearer())
    except ClusterError as error:
        yield failure("cluster", str(error), "the rest of the cluster was not looked at")
        return
    with closing(kubernetes):
        try:
            there = _namespace_is_there(site, kubernetes)
        except Unreadable as error:
            yield failure("cluster", error.said, error.way_out)
            return
        if not there:
            yield failure(
                "cluster", f"there is no namespace {site.settings.cluster.namespace}", "apply the charts: deploy"
            )
            return
        yield fine("cluster", f"{site.settings.cluster.name} answers at {connection.endpoint}, and knows you")
        try:
            yield from _inside(site, kubernetes, connection)
        except Unreadable as error:
            yield warning("cluster", error.said, error.way_out)


def _namespace_is_there(site: Site, kubernetes: Kubernetes) -> bool:
    name = {"name": site.settings.cluster.namespace}
    return kubernetes.find({"apiVersion": "v1", "kind": "Namespace", "metadata": name}) is not None


def _inside(site: Site, kubernetes: Kubernetes, connection: Connection) -> Iterator[Finding]:
    yield from objects.examine(site.settings, kubernetes)
    stored = yield from credential.examine(site, kubernetes)
    yield from workload.examine(site.settings, kubernetes, connection.resolver, stored)
