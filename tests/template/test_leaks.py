"""The printed manifests hold no AWS credential of the environment."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.leaks import HIDING_PLACES, LeakCheck
from tests.template import configurations

PRINT_THE_MANIFESTS = ("-m", "cli.command", "manifests", "--config")
PRINT_THE_ENVIRONMENT = ("-c", "import os; print(dict(os.environ))")


@pytest.fixture
def canary() -> LeakCheck:
    return LeakCheck(password_bytes=200)


def run(canary: LeakCheck, *words: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path} | dict.fromkeys(HIDING_PLACES, canary.authorization)
    return subprocess.run(  # noqa: S603 - our own words
        [sys.executable, *words], cwd=configurations.ROOT, env=environment, text=True, capture_output=True, check=False
    )


@pytest.mark.parametrize("name", ["private", "several"])
def test_the_printed_manifests_hold_no_credential(tmp_path: Path, canary: LeakCheck, name: str) -> None:
    config = tmp_path / "config.toml"
    config.write_text(configurations.text(name))
    printed = run(canary, *PRINT_THE_MANIFESTS, str(config))
    assert "kind: Deployment" in printed.stdout
    assert canary.leaks(printed.stdout + printed.stderr) == []


def test_the_search_finds_a_printed_credential(canary: LeakCheck) -> None:
    assert canary.leaks(run(canary, *PRINT_THE_ENVIRONMENT).stdout)
