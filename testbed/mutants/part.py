"""What the edits of a mutant share: a strict model, the replacement of a part of a text, and their error. Pure."""

import re
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, model_validator


class MutantError(Exception):
    """A mutant that is not valid, or does not fit the product; fix it in testbed/mutants/catalogue/."""


class Part(BaseModel):
    """A frozen model without unknown keys, whose fields are documented beside them."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Edit(Part):
    """Exactly one operation on what an address finds."""

    operations: ClassVar[frozenset[str]]
    """The fields that are operations."""

    swap: tuple[str, str] | None = None
    """A part of the text, which is there exactly once, and its replacement."""
    pattern: tuple[str, str] | None = None
    """A regular expression that matches exactly once, and its replacement."""

    @model_validator(mode="after")
    def _has_one_operation(self) -> Self:
        chosen = self.model_fields_set & (self.operations | {"swap", "pattern"})
        if len(chosen) != 1:
            raise ValueError(f"an edit has exactly one operation, not {sorted(chosen)}")
        return self

    def edited(self, text: str) -> str:
        """The text after `swap` or `pattern`.

        Raises:
            MutantError: The part is not there exactly once.
        """
        old, new = self.swap or self.pattern or ("", "")
        expression = re.escape(old) if self.swap else old
        result, count = re.subn(expression, new.replace("\\", r"\\") if self.swap else new, text)
        if count != 1:
            raise MutantError(f"{old!r} is there {count} times; once is expected, in {text[:300]!r}")
        return result

    def touches(self, text: str) -> bool:
        """Whether the text has what `swap` or `pattern` looks for."""
        if self.swap:
            return self.swap[0] in text
        return bool(self.pattern and re.search(self.pattern[0], text))
