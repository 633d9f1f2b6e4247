"""Edits of the njs modules, addressed by function or constant, in whichever module that is. Comments do not matter."""

import re
from collections.abc import Mapping
from typing import ClassVar

from testbed.mutants.part import Edit, MutantError

_COMMENT = re.compile(r"^[ \t]*(?://.*|/\*[\s\S]*?\*/)[ \t]*\n", re.MULTILINE)


class ScriptEdit(Edit):
    """What happens to a function or a constant of a module. `swap` and `pattern` see its code in one line."""

    operations: ClassVar[frozenset[str]] = frozenset({"body", "value"})

    njs: str
    """The name of the function or constant, which only one module defines, at its top level."""
    body: str | None = None
    """Statements that take the place of a function's body."""
    value: str | None = None
    """An expression that takes the place of a constant's value."""

    def apply(self, modules: Mapping[str, str]) -> dict[str, str]:
        """The modules, by file name, with the edit made in the one that defines the name.

        Raises:
            MutantError: No module or several define it, or the part to replace is not there exactly once.
        """
        plain = {name: _COMMENT.sub("", text) for name, text in modules.items()}
        found = [(name, match) for name, text in plain.items() for match in self._definition().finditer(text)]
        if len(found) != 1:
            raise MutantError(f"{len(found)} functions or constants of njs are called {self.njs}; one is expected")
        ((name, match),) = found
        edited = plain[name][: match.start()] + self._edited(match) + plain[name][match.end() :]
        return {**modules, name: edited}

    def _definition(self) -> re.Pattern[str]:
        """A definition ends with its line, or with the first line that begins with a closing brace or bracket."""
        name = re.escape(self.njs)
        function = rf"(?:async )?function {name}\((?:[^)]*)\) \{{\n(?P<body>[\s\S]*?)^\}}\n"
        constant = rf"const {name} = (?P<value>[^\n]*;\n|[\s\S]*?^[\]}})]+;\n)"
        return re.compile(rf"^(?:export )?(?:{function}|{constant})", re.MULTILINE)

    def _edited(self, match: re.Match[str]) -> str:
        text = match[0]
        if self.body is None and self.value is None:
            return self.edited(" ".join(text.split())) + "\n"
        part, new = ("body", self.body) if self.body is not None else ("value", f"{self.value};")
        if match[part] is None:
            raise MutantError(f"{self.njs} has no {part}")
        return f"{text[: match.start(part) - match.start()]}{new}\n{text[match.end(part) - match.start() :]}"
