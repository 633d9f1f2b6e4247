"""What every table of `frontdoor.toml` has in common. Pure."""

from pydantic import BaseModel, ConfigDict


class Table(BaseModel):
    """Frozen, refuses unknown keys, converts nothing silently, and documents its fields by their docstrings."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)
