"""Text that matches a pattern: one rule for the validation and for the JSON Schema. Pure."""

import re
from dataclasses import dataclass

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

_EXAMPLE = re.compile(r", like (\S+?)(?:,|$)")


@dataclass(frozen=True, slots=True)
class Matching:
    r"""Text that matches a pattern: for the validation and, as `pattern`, for the JSON Schema.

    Attributes:
        expression: What all of the text has to match, in the syntax that Python and JavaScript share. `\w` and `\s`
            are not in it, because each has its own set of characters for them.
        allowed: What the message for a wrong value names as allowed.
    """

    expression: str
    allowed: str

    def check(self, value: str) -> str:
        """The value.

        Raises:
            ValueError: It does not match; says what is allowed.
        """
        if not re.fullmatch(self.expression, value, re.ASCII):  # \d would match the digits of every script
            raise ValueError(f"must be {self.allowed}")
        return value

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        found = handler(schema)
        pattern = f"^(?:{self.expression})$".replace(r"\d", "[0-9]")
        if "pattern" in found:  # of the kind that this one narrows: both hold
            found.setdefault("allOf", []).append({"pattern": found["pattern"]})
        found["pattern"] = pattern
        if example := _EXAMPLE.search(self.allowed):
            found["examples"] = [example[1].strip("'")]
        return found
