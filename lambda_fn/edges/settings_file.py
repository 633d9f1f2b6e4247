"""The settings in the bundle."""

from pathlib import Path

from lambda_fn.contract.errors import SettingsError
from lambda_fn.contract.runtime import SETTINGS_FILE
from lambda_fn.settings.models import Settings
from lambda_fn.settings.parse import parse_json


def read(bundle: Path) -> Settings:
    """The settings that the function was deployed with.

    Raises:
        SettingsError: Their file cannot be read, or holds something else.
    """
    try:
        text = (bundle / SETTINGS_FILE).read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"{SETTINGS_FILE} in the bundle cannot be read ({error.strerror}). Fix: deploy the stack again"
        ) from error
    return parse_json(text, SETTINGS_FILE)
