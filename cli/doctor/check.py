"""What a module in `cli/doctor/checks/` declares as its `CHECK`."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from graphlib import TopologicalSorter

from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding


class Category(StrEnum):
    """Where a check looks, in the order of an examination."""

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
    """

    id: str
    category: Category
    run: Callable[[CheckContext], Iterator[Finding]]
    needs: tuple[str, ...] = ()


def in_order(checks: Iterable[Check]) -> list[Check]:
    """The checks by category, each after those it needs."""
    by_id = {check.id: check for check in sorted(checks, key=lambda check: check.id)}
    ordered = TopologicalSorter({check.id: check.needs for check in by_id.values()}).static_order()
    return sorted((by_id[name] for name in ordered), key=lambda check: list(Category).index(check.category))
