"""What every table of `frontdoor.toml` has in common. Pure."""

from pydantic import BaseModel, ConfigDict
from pydantic.config import JsonDict

NO_OTHER_KEYS: JsonDict = {"additionalProperties": False}
"""Of a table whose keys the operator chooses: for the JSON Schema, in which a pattern of keys alone refuses none."""


class Table(BaseModel):
    """Frozen, refuses unknown keys, converts nothing silently, and documents its fields by their docstrings."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)
