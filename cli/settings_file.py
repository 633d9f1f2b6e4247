"""Reads the settings file that the command line names."""

from pathlib import Path

from lambda_fn.contract.errors import SettingsError
from lambda_fn.settings.models import Settings
from lambda_fn.settings.parse import parse_toml

DEFAULT_CONFIG = "frontdoor.toml"
"""The settings file, unless the command line names another."""


def read(path: Path) -> Settings:
    """The settings in a file.

    Raises:
        SettingsError: The file cannot be read, or has mistakes; lists all of them.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")  # bytes that are not text fail later, as TOML
    except OSError as error:
        raise SettingsError(
            f"cannot read {path}: {error.strerror}. Fix: name the settings file with --config PATH"
        ) from error
    return parse_toml(text, str(path))
