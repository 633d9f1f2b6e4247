"""Routes: how the names that clients write become names in ECR, and back. Pure.

IAM, the rule for events, the catalogue and the nginx configuration all take their names from here.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lambda_fn.contract.repository_name import NAME
from lambda_fn.contract.repository_pattern import RepositoryPattern

_NAME = re.compile(NAME)


@dataclass(frozen=True, slots=True)
class Route:
    """Names that clients may pull, and the names that ECR has for them.

    A name in ECR is `prefix` and the public name without `strip`. A route of one renamed repository strips all of it.

    Attributes:
        pattern: Of public names: begins with `strip`.
        strip: What public names begin with, and ECR's names do not.
        prefix: What ECR's names begin with instead.
    """

    pattern: str
    strip: str = ""
    prefix: str = ""

    @property
    def ecr_pattern(self) -> str:
        """The names in ECR, as IAM writes them: those, and no others, that this route makes of its public names."""
        return self.prefix + self.pattern[len(self.strip) :]

    @property
    def differs(self) -> bool:
        """Whether ECR's names are others than the public ones."""
        return self.strip != self.prefix

    @property
    def is_exact(self) -> bool:
        """Whether it is of one repository."""
        return "*" not in self.pattern

    def ecr_name(self, public_name: str) -> str | None:
        """ECR's name of a repository; None for one that the pattern lacks, or one of whose names is not valid."""
        name = self.prefix + public_name[len(self.strip) :]
        is_valid = _NAME.fullmatch(public_name) and _NAME.fullmatch(name)
        return name if is_valid and _matches(self.pattern, public_name) else None

    def public_name(self, ecr_name: str) -> str | None:
        """The name under which clients pull a repository of ECR; None for one that this route does not reach."""
        name = self.strip + ecr_name[len(self.prefix) :]
        return name if _matches(self.ecr_pattern, ecr_name) and self.ecr_name(name) == ecr_name else None


def routes(
    patterns: tuple[str, ...], renames: Mapping[str, str], *, strip: str = "", prefix: str = ""
) -> tuple[Route, ...]:
    """The routes of one registry: those of its patterns, and one for each renamed repository."""
    return (
        *(Route(pattern, strip, prefix) for pattern in patterns),
        *(Route(public_name, public_name, ecr_name) for public_name, ecr_name in renames.items()),
    )


def folder_of(pattern: str) -> str:
    """What every name of a pattern begins with, up to a slash: `a/b/` for `a/b/c*`, nothing for `*`."""
    beginning = pattern.partition("*")[0]
    return beginning[: beginning.rfind("/") + 1]


def overlap(one: str, other: str) -> str | None:
    """How the names of two patterns meet: `equal`, `inside` (one within `other`), `around` or `partial`; None: not."""
    if not _meet(one, other):
        return None
    inside, around = _matches(other, one), _matches(one, other)
    if inside and around:
        return "equal"
    return "inside" if inside else "around" if around else "partial"


def _matches(pattern: str, name: str) -> bool:
    return RepositoryPattern(pattern).matches(name)


def _meet(one: str, other: str) -> bool:
    """Whether any name matches both patterns: follows both at once, each `*` for as long as it likes."""
    if not _begin_alike(one, other) or not _begin_alike(one[::-1], other[::-1]):
        return False
    seen, todo = set(), [(0, 0)]
    while todo:
        place = todo.pop()
        if place == (len(one), len(other)):
            return True
        if place not in seen:
            seen.add(place)
            todo += _next(one, other, *place)
    return False


def _next(one: str, other: str, i: int, j: int) -> Iterator[tuple[int, int]]:
    here, there = one[i : i + 1], other[j : j + 1]
    if here == "*":
        yield i + 1, j
    if there == "*":
        yield i, j + 1
    if here and there:
        if here == "*":
            yield i, j + 1
        elif there == "*":
            yield i + 1, j
        elif here == there:
            yield i + 1, j + 1


def _begin_alike(one: str, other: str) -> bool:
    first, second = one.partition("*")[0], other.partition("*")[0]
    return first.startswith(second) or second.startswith(first)
