"""A cluster that the doctor reads: only the objects that it is given."""

from collections.abc import Iterable, Sequence
from typing import Any

from lightkube.resources.core_v1 import Pod

from cli.doctor.kubernetes import Kubernetes
from cli.doctor.kubernetes_errors import KubernetesError

Document = dict[str, Any]


class FakeKubernetes(Kubernetes):
    """Finds the objects it was given, by API version, kind and name; or fails each request.

    Attributes:
        asked: How many requests there were for an object.
    """

    def __init__(
        self, documents: Iterable[Document] = (), error: KubernetesError | None = None, pods: Sequence[Pod] = ()
    ) -> None:
        self._documents = {_key(one): one for one in documents}
        self._error = error
        self._pods = pods
        self.asked = 0

    def find(self, document: Document) -> Document | None:
        self.asked += 1
        if self._error:
            raise self._error
        return self._documents.get(_key(document))

    def find_named(self, kind: str, name: str, *, api_version: str = "v1") -> Document | None:
        return self.find({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}})

    def pods(self, labels: dict[str, str]) -> list[Pod]:
        del labels  # every pod here is the front door's
        return [*self._pods]

    def log(self, pod: str, container: str, lines: int) -> list[str]:
        return [f"{container} of {pod}, line {number}" for number in range(lines)]

    def close(self) -> None:
        """There is no connection."""


def _key(document: Document) -> tuple[str, str, str]:
    return document.get("apiVersion", "v1"), document["kind"], document["metadata"]["name"]
