"""A cluster that the doctor reads: the objects it is given, and nothing else."""

from collections.abc import Iterable
from typing import Any

from cli.doctor.kubernetes import Kubernetes, Unanswered

Document = dict[str, Any]


class FakeKubernetes(Kubernetes):
    """Finds what it was given, by kind and name; or fails on every question.

    Attributes:
        asked: How often it was asked.
    """

    def __init__(self, documents: Iterable[Document] = (), error: Unanswered | None = None) -> None:
        self._documents = {(one["kind"], one["metadata"]["name"]): one for one in documents}
        self._error = error
        self.asked = 0

    def find(self, document: Document) -> Document | None:
        self.asked += 1
        if self._error:
            raise self._error
        return self._documents.get((document["kind"], document["metadata"]["name"]))
