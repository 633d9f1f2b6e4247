"""The Kubernetes API, as the operator may read it."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from io import StringIO
from typing import Any, TypeVar

import httpx2
from lightkube import ApiError, Client
from lightkube.config.kubeconfig import SingleConfig
from lightkube.config.models import Cluster, Context, User
from lightkube.core.exceptions import LoadResourceError
from lightkube.core.resource_registry import resource_registry
from lightkube.generic_resource import create_namespaced_resource
from lightkube.resources.core_v1 import Pod, PodLog

from cli.doctor.kubernetes_errors import RequestRefusedError, UnknownKindError, UnreachableError
from lambda_fn.contract.authorization import Authorization
from lambda_fn.edges.kubernetes_session import ask
from lambda_fn.job.connection import Connection
from lambda_fn.job.redact import excerpt

Result = TypeVar("Result")


def new_client(connection: Connection, bearer: Authorization, namespace: str, timeout: httpx2.Timeout) -> Client:
    """A client of the cluster's API, with the operator's bearer token."""
    config = SingleConfig(
        "eks",
        Context(cluster="eks", user="operator", namespace=namespace),
        Cluster(server=connection.endpoint, certificate_auth_data=connection.certificate_authority),
        User(token=bearer.reveal()),
    )
    return Client(config, timeout=timeout)


class Kubernetes:
    """Reads objects, and never writes. Close it afterwards."""

    def __init__(self, client: Client, *, cluster: str) -> None:
        self._client, self._cluster = client, cluster

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def find(self, document: dict[str, Any]) -> dict[str, Any] | None:
        """The object of this kind, name and namespace as it is in the cluster; None where there is none.

        Raises:
            UnknownKindError: The cluster has no definition of the kind.
            RequestRefusedError: The operator may not read it.
            UnreachableError: The API does not answer.
        """
        kind, metadata = _kind(document), document["metadata"]
        namespace = {"namespace": metadata["namespace"]} if "namespace" in metadata else {}

        def get(client: Client) -> dict[str, Any]:
            found: dict[str, Any] = client.get(kind, metadata["name"], **namespace).to_dict()
            return found

        try:
            return self._send(f"get {document['kind']} {metadata['name']}", get)
        except _NotFoundError:
            return None

    def find_named(self, kind: str, name: str, *, api_version: str = "v1") -> dict[str, Any] | None:
        """The object of this kind and name in the front door's namespace; None where there is none.

        Raises:
            RequestRefusedError: The operator may not read it.
            UnreachableError: The API does not answer.
        """
        place = {"name": name, "namespace": self._client.namespace}
        return self.find({"apiVersion": api_version, "kind": kind, "metadata": place})

    def pods(self, labels: dict[str, str]) -> list[Pod]:
        """The pods with these labels.

        Raises:
            RequestRefusedError: The operator may not list them.
            UnreachableError: The API does not answer.
        """
        return self._send("list pods", lambda client: list(client.list(Pod, labels={**labels})))

    def log(self, pod: str, container: str, lines: int) -> list[str]:
        """The last lines of a container's log; none where they cannot be read."""
        try:
            return self._send(
                f"read the log of {pod}",
                lambda client: list(client.log(pod, container=container, tail_lines=lines, newlines=False)),
            )
        except (RequestRefusedError, _NotFoundError):
            return []

    def whole_log(self, pod: str, container: str) -> Iterable[str]:
        """What the kubelet has of a container's log, each line behind its time; nothing of a pod that is gone.

        The kubelet answers with the file that it writes to, and not with those that it has rotated:
        https://kubernetes.io/docs/concepts/cluster-administration/logging/#log-rotation

        Raises:
            RequestRefusedError: The operator may not read it, or the container has not started.
            UnreachableError: The API does not answer.
        """
        try:
            text = self._send(f"read the log of {pod}", lambda client: _log_text(client, pod, container))
        except _NotFoundError:
            return ()
        return (line.removesuffix("\n") for line in StringIO(text, newline="\n"))

    def _send(self, action: str, request: Callable[[Client], Result]) -> Result:
        try:
            return ask(request, self._client)
        except httpx2.HTTPStatusError as error:
            if error.response.status_code == HTTPStatus.NOT_FOUND and isinstance(error, ApiError):
                raise _NotFoundError from error
            raise self._refusal(action, error) from error
        except httpx2.HTTPError as error:
            endpoint = self._client.config.cluster.server
            raise UnreachableError(
                f"the Kubernetes API at {endpoint} is not reachable: {type(error).__name__}: {error}",
                "connect to the VPN: a private endpoint answers only inside its VPC",
            ) from error

    def _refusal(self, action: str, error: httpx2.HTTPStatusError) -> RequestRefusedError:
        match error.response.status_code:
            case HTTPStatus.NOT_FOUND:
                return UnknownKindError(
                    f"cluster {self._cluster} has no definition of this kind ({action})",
                    "install the controller that defines it",
                )
            case HTTPStatus.UNAUTHORIZED:
                return RequestRefusedError(
                    f"cluster {self._cluster} does not accept your identity (401 on: {action})",
                    "give your role (aws sts get-caller-identity shows it) an access entry in the cluster",
                )
            case HTTPStatus.FORBIDDEN:
                return RequestRefusedError(
                    f"you may not {action} in namespace {self._client.namespace}: {excerpt(_text(error))}",
                    "ask for the rights that docs/operations.md lists for the doctor",
                )
            case status:
                return RequestRefusedError(
                    f"the API server answered {status} ({action}): {excerpt(_text(error))}",
                    "run the doctor again in a minute; if it stays, check the cluster's health in EKS",
                )


class _NotFoundError(Exception):
    """The object does not exist."""


def _log_text(client: Client, pod: str, container: str) -> str:
    """A log as it is. lightkube's `log` ends a line also at a form feed or U+2028, which a client can have logged."""
    api = client._client  # noqa: SLF001 - lightkube has no other way to the text
    params = {"container": container, "timestamps": True, "follow": False}
    response = api.send(api.build_adapter_request(api.prepare_request("get", PodLog, name=pod, params=params)))
    api.raise_for_status(response)  # type: ignore[no-untyped-call]
    text: str = response.text
    return text


def _text(error: httpx2.HTTPStatusError) -> str:
    return str(error) if isinstance(error, ApiError) else error.response.text


def _kind(document: dict[str, Any]) -> Any:  # noqa: ANN401 - any of lightkube's resources
    version, kind = document["apiVersion"], document["kind"]
    try:
        return resource_registry.load(version, kind)
    except LoadResourceError:
        group, _, version = version.rpartition("/")
        return create_namespaced_resource(group, version, kind, f"{kind.lower()}s")
