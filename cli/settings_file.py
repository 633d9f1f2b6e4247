"""Reads the settings that the command line names."""

from pathlib import Path

from lambda_fn.settings.models import Settings
from stacks.environments import Environment, environments, settings_of

_OPTION = "--config PATH"


def read(path: Path) -> Settings:
    """The settings in a file, for a command that works on one environment.

    Raises:
        SettingsError: The file cannot be read, has mistakes (lists all of them), or is a folder.
    """
    return settings_of(path, option=_OPTION)


def read_all(path: Path) -> list[Environment]:
    """The environment of a file, or all of a folder.

    Raises:
        SettingsError: A file cannot be read or has mistakes; lists all of them.
    """
    return environments(path, option=_OPTION)
