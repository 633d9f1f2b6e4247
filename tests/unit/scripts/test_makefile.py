"""What `make` runs, with programs in the place of those that it installs."""

import re
import subprocess
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).parents[3] / "Makefile"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout that is installed, whose `cdk` and `frontdoor` only note what they are called with."""
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("cdk", "frontdoor"):
        program = programs / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> {tmp_path / "calls"}\n')
        program.chmod(0o700)
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "shared.toml").touch()
    return tmp_path


def destroy(folder: Path, config: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run it; returns the calls of `cdk` and `frontdoor`, too."""
    installed = ("--old-file=.venv/installed", "--old-file=node_modules/installed")
    command = ("make", "-f", str(MAKEFILE), *installed, "destroy", f"CONFIG={config}")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    calls = folder / "calls"
    return done, calls.read_text().splitlines() if calls.exists() else []


def test_help_shows_every_documented_target() -> None:
    command = ("make", "-f", str(MAKEFILE), "help")
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    shown = dict(re.findall(r"^make (\S+) +(.+)$", done.stdout, flags=re.MULTILINE))
    assert shown == dict(re.findall(r"^(\S+):.*? ## (.+)$", MAKEFILE.read_text("utf-8"), flags=re.MULTILINE))
    assert {"help", "e2e", "e2e-operation"} <= set(shown)


def test_one_environment_is_destroyed_and_checked(folder: Path) -> None:
    done, calls = destroy(folder, "environments/shared.toml")
    assert done.returncode == 0, done.stderr
    assert calls == [
        "cdk destroy --force -c config=environments/shared.toml",
        "frontdoor doctor --removed --config environments/shared.toml",
    ]


@pytest.mark.parametrize("config", ["environments", "environments/"])
def test_a_folder_of_environments_is_refused_before_anything_is_destroyed(folder: Path, config: str) -> None:
    done, calls = destroy(folder, config)
    assert (done.returncode, calls) == (2, [])
    assert "make destroy CONFIG=environments/NAME.toml" in done.stderr
