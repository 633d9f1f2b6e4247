"""Edits of the Kubernetes objects that the charts write, addressed by kind and path. Pure."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, ClassVar

from testbed.mutants.part import Edit, MutantError

Object = Mapping[str, Any]


class ObjectEdit(Edit):
    """What happens to a field of an object."""

    operations: ClassVar[frozenset[str]] = frozenset({"value"})

    kind: str
    """Of the object, of which there is one."""
    path: str
    """Keys, joined by `/`; an item of a list is addressed by its number or, where it has one, its name."""
    value: int | str | None = None
    """What takes its place."""

    def apply(self, objects: Sequence[Object]) -> list[dict[str, Any]]:
        """The objects, with the edit made; the same where no object is of this kind.

        Raises:
            MutantError: The field does not exist, or its text does not have the part to replace exactly once.
        """
        copies = deepcopy([dict(item) for item in objects])
        for item in copies:
            if item["kind"] == self.kind:
                self._edit(item)
        return copies

    def _edit(self, item: dict[str, Any]) -> None:
        *steps, last = self.path.split("/")
        parent: Any = item
        for step in steps:
            parent = parent[self._key(parent, step)]
        key = self._key(parent, last)
        parent[key] = self.edited(parent[key]) if self.value is None else self.value

    def _key(self, parent: Any, step: str) -> int | str:  # noqa: ANN401 - an object has any shape
        if isinstance(parent, list):
            for index, child in enumerate(parent):
                if step in (str(index), child.get("name") if isinstance(child, dict) else None):
                    return index
        elif isinstance(parent, dict) and step in parent:
            return step
        raise MutantError(f"{self.kind} has nothing at {self.path}: {step} does not exist")
