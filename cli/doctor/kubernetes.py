"""The Kubernetes API as the operator may read it."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

import httpx2
from lightkube import ApiError, Client
from lightkube.config.kubeconfig import SingleConfig
from lightkube.config.models import Cluster, Context, User
from lightkube.core.exceptions import LoadResourceError
from lightkube.core.resource_registry import resource_registry
from lightkube.generic_resource import create_namespaced_resource
from lightkube.resources.core_v1 import Pod

from cli.doctor.site import Site
from lambda_fn.edges.kubernetes_session import ask
from lambda_fn.job.connection import Connection
from lambda_fn.job.credential import Authorization
from lambda_fn.job.redact import excerpt

Result = TypeVar("Result")


class Unanswered(Exception):  # noqa: N818 - it says what it is
    """The API does not answer the operator.

    Attributes:
        said: Why.
        way_out: What would make it.
    """

    def __init__(self, said: str, way_out: str) -> None:
        super().__init__(said)
        self.said, self.way_out = said, way_out


class Unreadable(Unanswered):
    """It refuses this one question."""


class Unreachable(Unanswered):
    """It answers nothing: whatever else would be asked of it would only be waited for."""


class UnknownKind(Unreadable):
    """The API server does not know such objects at all."""


class Kubernetes:
    """Reads, and never writes. Close it afterwards."""

    def __init__(self, site: Site, connection: Connection, bearer: Authorization) -> None:
        self._settings = settings = site.settings
        self._endpoint = connection.endpoint
        self._client = Client(
            SingleConfig(
                "eks",
                Context(cluster="eks", user="operator", namespace=settings.cluster.namespace),
                Cluster(server=connection.endpoint, certificate_auth_data=connection.certificate_authority),
                User(token=bearer.reveal()),
            ),
            timeout=httpx2.Timeout(site.answer_seconds, connect=site.connect_seconds),
        )

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def find(self, document: dict[str, Any]) -> dict[str, Any] | None:
        """The object of this kind, name and namespace as it is in the cluster; None where there is none.

        Raises:
            UnknownKind: The cluster has no definition of it.
            Unreachable: The API does not answer.
            Unreadable: The operator may not read it.
        """
        kind, metadata = _kind(document), document["metadata"]
        namespace = {"namespace": metadata["namespace"]} if "namespace" in metadata else {}

        def get(client: Client) -> dict[str, Any]:
            found: dict[str, Any] = client.get(kind, metadata["name"], **namespace).to_dict()
            return found

        try:
            return self._ask(f"get {document['kind']} {metadata['name']}", get)
        except _MissingError:
            return None

    def pods(self, labels: dict[str, str]) -> list[Pod]:
        """The pods with these labels.

        Raises:
            Unreadable: The operator may not list them.
        """
        return self._ask("list pods", lambda client: list(client.list(Pod, labels={**labels})))

    def log(self, pod: str, container: str, lines: int) -> list[str]:
        """The last lines of a container; none where they cannot be read."""
        try:
            return self._ask(
                f"read the log of {pod}",
                lambda client: list(client.log(pod, container=container, tail_lines=lines, newlines=False)),
            )
        except (Unreadable, _MissingError):
            return []

    def _ask(self, action: str, request: Callable[[Client], Result]) -> Result:
        namespace = self._settings.cluster.namespace
        try:
            return ask(request, self._client)
        except httpx2.HTTPStatusError as error:
            match error.response.status_code:
                case HTTPStatus.NOT_FOUND if isinstance(error, ApiError):
                    raise _MissingError from error
                case HTTPStatus.NOT_FOUND:
                    raise UnknownKind(
                        f"cluster {self._settings.cluster.name} knows no such kind ({action})", ""
                    ) from error
                case HTTPStatus.UNAUTHORIZED:
                    raise Unreadable(
                        f"cluster {self._settings.cluster.name} does not know you (401 on: {action})",
                        "aws sts get-caller-identity says who you are; give that role an access entry in the cluster",
                    ) from error
                case HTTPStatus.FORBIDDEN:
                    raise Unreadable(
                        f"you may not {action} in namespace {namespace}: {excerpt(_words(error))}",
                        "ask for the rights that docs/operations.md lists (What to look at first: the doctor)",
                    ) from error
                case status:
                    raise Unreadable(
                        f"the API server answers {status} ({action}): {excerpt(_words(error))}",
                        "look again in a minute; if it stays, at the cluster's health in EKS",
                    ) from error
        except httpx2.HTTPError as error:
            raise Unreachable(
                f"the Kubernetes API at {self._endpoint} cannot be reached: {type(error).__name__}: {error}",
                "a private endpoint answers inside its VPC only: connect to the VPN",
            ) from error


def _words(error: httpx2.HTTPStatusError) -> str:
    return str(error) if isinstance(error, ApiError) else error.response.text


class _MissingError(Exception):
    """There is no such object."""


def _kind(document: dict[str, Any]) -> Any:  # noqa: ANN401 - any of lightkube's resources
    version, kind = document["apiVersion"], document["kind"]
    try:
        return resource_registry.load(version, kind)
    except LoadResourceError:
        group, _, version = version.rpartition("/")
        return create_namespaced_resource(group, version, kind, f"{kind.lower()}s")
