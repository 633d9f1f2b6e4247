"""A table in which the route of a name is looked up, however many routes there are. Pure.

A name is looked up whole, then by its folders, the longest one first. A folder is what a pattern begins with, up to the
last slash before its first `*`. nginx has the same table as hashes, so a request costs as much with 500 routes as with
one: only patterns that end otherwise than in `/*` are tried one after the other, and only those of one folder.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from lambda_fn.contract.repository_pattern import RepositoryPattern
from lambda_fn.contract.routes import folder_of, overlap


@dataclass(frozen=True, slots=True)
class Folder:
    """What serves the names of one folder that are in no longer one of the table.

    Attributes:
        tried: Patterns, the narrower ones first, with the number of what serves them.
        otherwise: What serves the others; None where nothing does.
    """

    tried: tuple[tuple[str, int], ...]
    otherwise: int | None


@dataclass(frozen=True)
class RouteTable:
    """Patterns of public names and, by number, what serves them. Of two patterns that meet, the narrower one counts.

    Two patterns with different numbers must be apart, or one of them within the other.
    """

    exact: dict[str, int] = field(default_factory=dict)
    folders: dict[str, Folder] = field(default_factory=dict)

    def find(self, name: str) -> int | None:
        """The number of what serves a name; None where nothing does."""
        if name in self.exact:
            return self.exact[name]
        end = name.rfind("/") + 1
        while (folder := self.folders.get(name[:end])) is None:
            if end == 0:
                return None
            end = name.rfind("/", 0, end - 1) + 1
        return next(
            (number for text, number in folder.tried if RepositoryPattern(text).matches(name)), folder.otherwise
        )


def table(patterns: Iterable[tuple[str, int]]) -> RouteTable:
    """The table of these patterns and numbers."""
    exact, wide = {}, []
    for pattern, number in patterns:
        if "*" in pattern:
            wide.append((pattern, number))
        else:
            exact[pattern] = number
    of_folder: dict[str, list[tuple[str, int]]] = {}
    for pattern, number in wide:
        of_folder.setdefault(folder_of(pattern), []).append((pattern, number))
    return RouteTable(exact, {path: _folder(path, of_folder) for path in of_folder})


def _folder(path: str, of_folder: dict[str, list[tuple[str, int]]]) -> Folder:
    """The patterns that have names in the folder are its own, and those of the folders around it."""
    around = [path[:end] for end in range(len(path) + 1) if end == 0 or path[end - 1] == "/"]
    found = [entry for each in around for entry in of_folder.get(each, ()) if overlap(entry[0], f"{path}*")]
    tried: list[tuple[str, int]] = []
    for pattern, number in sorted(found, key=_narrower_first):
        if RepositoryPattern(pattern).matches(f"{path}*"):
            while tried and tried[-1][1] == number:
                tried.pop()
            return Folder(tuple(tried), number)
        tried.append((pattern, number))
    return Folder(tuple(tried), None)


def _narrower_first(entry: tuple[str, int]) -> tuple[int, int]:
    """A pattern within another one has no fewer characters beside `*`, and where it has as many, fewer `*`."""
    pattern = re.sub(r"\*+", "*", entry[0])
    stars = pattern.count("*")
    return stars - len(pattern), stars
