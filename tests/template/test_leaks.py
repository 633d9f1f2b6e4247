"""No output and no written file of synthesis or the manifests holds an AWS credential of the environment."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.leaks import LeakCheck
from tests.template import configurations

HIDING_PLACES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "DOCKER_AUTH_CONFIG")
PRINT_THE_MANIFESTS = ("-m", "k8s_manifests", "--config")
PRINT_THE_ENVIRONMENT = ("-c", "import os; print(dict(os.environ))")


@pytest.fixture
def canary() -> LeakCheck:
    return LeakCheck(password_bytes=200)


def run(canary: LeakCheck, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path} | dict.fromkeys(HIDING_PLACES, canary.authorization) | variables
    return subprocess.run(  # noqa: S603 - our own words
        [sys.executable, *words], cwd=configurations.ROOT, env=environment, text=True, capture_output=True, check=False
    )


def written(folder: Path) -> Mapping[str, bytes]:
    """Every file except archives: CDK copies those of kubectl unchanged from a package."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".zip"}


@pytest.mark.parametrize("name", ["private", "external"])
def test_the_output_and_files_of_synthesis_hold_no_credential(tmp_path: Path, canary: LeakCheck, name: str) -> None:
    config, out = tmp_path / "config.toml", tmp_path / "out"
    config.write_text(configurations.text(name))
    context = json.dumps({"config": str(config), "aws:cdk:bundling-stacks": []})
    app = run(canary, "app.py", CDK_CONTEXT_JSON=context, CDK_OUTDIR=str(out))
    assert app.returncode == 0, app.stderr
    files = written(out)
    assert str(out / "EcrFrontdoor.template.json") in files
    assert canary.leaks(app.stdout + app.stderr) == []
    assert {path: found for path, text in files.items() if (found := canary.leaks(text))} == {}


@pytest.mark.parametrize("name", ["private", "several"])
def test_the_printed_manifests_hold_no_credential(tmp_path: Path, canary: LeakCheck, name: str) -> None:
    config = tmp_path / "config.toml"
    config.write_text(configurations.text(name))
    printed = run(canary, *PRINT_THE_MANIFESTS, str(config))
    assert "kind: Deployment" in printed.stdout
    assert canary.leaks(printed.stdout + printed.stderr) == []


def test_the_search_finds_a_printed_credential(canary: LeakCheck) -> None:
    assert canary.leaks(run(canary, *PRINT_THE_ENVIRONMENT).stdout)
