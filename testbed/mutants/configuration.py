"""Edits of a rendered nginx configuration, addressed by blocks and directives, not by wording or source files."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import crossplane

from testbed.mutants.part import Edit, MutantError

Directive = dict[str, Any]
"""As crossplane has it: `directive`, `args`, and `block` where there is one."""


class NginxEdit(Edit):
    """What happens to the directives at a place. `swap` and `pattern` edit the one argument that they fit."""

    operations: ClassVar[frozenset[str]] = frozenset({"remove", "by", "insert", "add"})

    nginx: tuple[str, ...]
    """The place, from the outside in. Each step is a glob over a directive and its arguments, such as
    `location * ^/v2/*/blobs/*`; `server NAME` is the server block with this name. Blocks that are not named may lie
    between two steps.
    """
    every: bool = False
    """Whether several directives may be at the place, which are all edited."""
    remove: bool = False
    by: str | None = None
    """Directives that take its place."""
    insert: str | None = None
    """Directives at the beginning of its block."""
    add: str | None = None
    """One more argument."""

    def apply(self, configuration: str) -> str:
        """The edited configuration; the same text where no directive is at the place.

        Raises:
            MutantError: Several directives are there, or an argument does not have the part to replace.
        """
        tree = parse(configuration)
        found = list(_at(tree, self.nginx))
        if not found:
            return configuration
        if len(found) > 1 and not self.every:
            raise MutantError(f"{len(found)} directives of nginx are at {' > '.join(self.nginx)}; one is expected")
        for spot in found:
            self._edit(spot)
        return str(crossplane.build(tree))

    def _edit(self, spot: "_Spot") -> None:
        target = spot.target
        if self.insert is not None:
            target["block"][:0] = parse(self.insert)
        elif self.add is not None:
            target["args"].append(self.add)
        elif self.remove or self.by is not None:
            spot.replace(parse(self.by or ""))
        else:
            target["directive"], *target["args"] = self._edited_words(target)

    def _edited_words(self, target: Directive) -> list[str]:
        """The directive (in a map, a key) and its arguments, one of them edited; an empty result is left out."""
        words = [target["directive"], *target["args"]]
        fitting = [index for index, word in enumerate(words) if self.touches(word)]
        if len(fitting) != 1:
            raise MutantError(f"{len(fitting)} words of {text_of(target)!r} fit the edit; one is expected")
        (index,) = fitting
        new = self.edited(words[index])
        return [*words[:index], *([new] if new else []), *words[index + 1 :]]


@dataclass(frozen=True)
class _Spot:
    siblings: list[Directive]
    target: Directive

    def replace(self, directives: list[Directive]) -> None:
        """Put others in its place."""
        index = next(i for i, directive in enumerate(self.siblings) if directive is self.target)
        self.siblings[index : index + 1] = directives


def parse(text: str) -> list[Directive]:
    """The directives of a configuration, or of a part of one, without its comments.

    Raises:
        MutantError: It is not a configuration.
    """
    return deepcopy(_parsed(text))


@lru_cache(maxsize=16)
def _parsed(text: str) -> list[Directive]:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "nginx.conf"
        file.write_text(text, encoding="utf-8")
        found = crossplane.parse(str(file), single=True, check_ctx=False, check_args=False)
    if found["errors"]:
        raise MutantError(f"not an nginx configuration: {found['errors'][0]['error']}")
    directives: list[Directive] = found["config"][0]["parsed"]
    return directives


def text_of(directive: Directive) -> str:
    """A directive and its arguments, as the steps of a place see them."""
    return " ".join((directive["directive"], *directive["args"]))


def _at(directives: list[Directive], place: tuple[str, ...]) -> Iterator[_Spot]:
    step, *others = place
    for directive in list(directives):
        block = directive.get("block", [])
        if _is(directive, step):
            yield from _at(block, tuple(others)) if others else [_Spot(directives, directive)]
        else:
            yield from _at(block, place)


def _is(directive: Directive, step: str) -> bool:
    if step.startswith("server "):
        named = [d["args"][0] for d in directive.get("block", []) if d["directive"] == "server_name"]
        return directive["directive"] == "server" and any(fnmatchcase(n, step.removeprefix("server ")) for n in named)
    return fnmatchcase(text_of(directive), step)
