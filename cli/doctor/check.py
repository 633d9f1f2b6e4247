"""What a module in a folder of checks declares as its `CHECK`."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from graphlib import TopologicalSorter
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding


class Category(StrEnum):
    """Where a check looks, in the order of an examination."""

    SETTINGS = "settings"
    AWS = "AWS"
    CLUSTER = "cluster"
    DOMAIN = "domain"


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes:
        id: Its stable name: the module's, with hyphens.
        category: Where it looks.
        run: Yields its findings; none where the settings do not use what it checks.
        needs: The ids of the checks that it follows. It does not run after a fatal finding of one of them.
        runbook: The document, with its section, that explains what it looks at.
    """

    id: str
    category: Category
    run: Callable[[CheckContext], Iterator[Finding]]
    needs: tuple[str, ...] = ()
    runbook: str = "docs/operations.md#what-to-look-at-first-the-doctor"


def checks_in(folder: ModuleType) -> list[Check]:
    """The `CHECK` of every module in a folder, in the order in which they run."""
    return in_order(import_module(f"{folder.__name__}.{module.name}").CHECK for module in iter_modules(folder.__path__))


def in_order(checks: Iterable[Check]) -> list[Check]:
    """The checks by category, each after those it needs."""
    by_id = {check.id: check for check in sorted(checks, key=lambda check: check.id)}
    ordered = TopologicalSorter({check.id: check.needs for check in by_id.values()}).static_order()
    return sorted((by_id[name] for name in ordered), key=lambda check: list(Category).index(check.category))
