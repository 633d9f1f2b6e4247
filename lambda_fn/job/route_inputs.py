"""What the nginx template knows of the routes (lambda_fn/contract/route_table.py). Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lambda_fn.contract.repository_pattern import RepositoryPattern
from lambda_fn.contract.route_table import Folder
from lambda_fn.settings.registry import Registry
from lambda_fn.settings.routing import Routing


@dataclass(frozen=True, slots=True)
class RouteEntry:
    """One `[[registries]]` table.

    Attributes:
        number: Its place among them, from 0.
        host: The ECR host name.
        strip_folders: How many folders the public names begin with that ECR's names do not have.
        prefix: What ECR's names begin with instead.
        differs: Whether that makes other names.
    """

    number: int
    host: str
    strip_folders: int
    prefix: str
    differs: bool


@dataclass(frozen=True, slots=True)
class FolderEntry:
    """The names in a folder that are in no longer folder of the table.

    Attributes:
        path: What they begin with, up to a slash; an empty text for all names.
        tried: Regular expressions with the number of what serves them, in the order in which they are tried.
        otherwise: The number of what serves the other names, or an empty text.
    """

    path: str
    tried: list[tuple[str, int]]
    otherwise: str


@dataclass(frozen=True, slots=True)
class Depth:
    """The folders with the same number of slashes.

    Attributes:
        slashes: That number.
        beginning: A regular expression for names with as many folders or more. It captures `folders_N` for each depth N
            up to this one: the first N folders of the name.
        folders: By their paths.
    """

    slashes: int
    beginning: str
    folders: list[FolderEntry]


@dataclass(frozen=True, slots=True)
class Routes:
    """How a name is looked up: whole, then by its folders, the longest one first.

    Attributes:
        entries: In the order of the settings.
        exact: Names with the number of what serves them, without those that are renamed.
        renamed: Names with ECR's names for them, and the number of what serves them.
        depths: The largest number of slashes first.
        everywhere: All other names.
        differ: Whether any public name may differ from ECR's.
        strips: The distinct `strip_folders`, without 0.
        longest_name: The characters of the longest name that is looked up as a whole or as a folder.
        count: How many names are.
    """

    entries: list[RouteEntry]
    exact: list[tuple[str, int]]
    renamed: list[tuple[str, str, int]]
    depths: list[Depth]
    everywhere: FolderEntry
    differ: bool
    strips: list[int]
    longest_name: int
    count: int


def routes_of(registries: Sequence[Registry], hosts: Sequence[str]) -> Routes:
    """The routes of these registries, whose hosts are given in the same order."""
    found = Routing(registries).table
    entries = [
        RouteEntry(number, host, entry.strip.count("/"), entry.prefix, entry.strip != entry.prefix)
        for number, (entry, host) in enumerate(zip(registries, hosts, strict=True))
    ]
    renamed = {name: (new, number) for number, entry in enumerate(registries) for name, new in entry.renames.items()}
    names = [*found.exact, *found.folders]
    return Routes(
        entries=entries,
        exact=sorted((name, number) for name, number in found.exact.items() if name not in renamed),
        renamed=sorted((name, *new) for name, new in renamed.items()),
        depths=_by_depth(found.folders),
        everywhere=_entry("", found.folders.get("", Folder((), None))),
        differ=bool(renamed) or any(entry.differs for entry in entries),
        strips=sorted({entry.strip_folders for entry in entries if entry.differs} - {0}),
        longest_name=max(map(len, names), default=0),
        count=len(names),
    )


def _by_depth(folders: Mapping[str, Folder]) -> list[Depth]:
    of_depth: dict[int, list[FolderEntry]] = {}
    for path, folder in sorted(folders.items()):
        if path:
            of_depth.setdefault(path.count("/"), []).append(_entry(path, folder))
    found: list[Depth] = []
    inner, before = "", 0
    for slashes, entries in sorted(of_depth.items()):
        inner = f"(?<folders_{slashes}>{inner}(?:[^/]+/){{{slashes - before}}})"
        found.insert(0, Depth(slashes, f"^{inner}", entries))
        before = slashes
    return found


def _entry(path: str, folder: Folder) -> FolderEntry:
    tried = [(f"^{RepositoryPattern(pattern).regex}$", number) for pattern, number in folder.tried]
    return FolderEntry(path, tried, "" if folder.otherwise is None else str(folder.otherwise))
