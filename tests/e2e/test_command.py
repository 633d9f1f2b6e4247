"""`frontdoor` as an operator runs it on the sandbox: at a terminal, against AWS, the cluster and the pods."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lambda_fn.settings import parse_toml
from testbed.sandbox import first_steps, installation
from testbed.sandbox.commands import run
from testbed.sandbox.deployment.cdk import ROOT, operator
from testbed.sandbox.world import World

FRONTDOOR = (sys.executable, "-m", "cli.command")


def frontdoor(world: World, *words: str) -> subprocess.CompletedProcess[str]:
    trusting = dict(operator(world)) | {"SSL_CERT_FILE": str(world.ca.certificate)}
    return subprocess.run([*FRONTDOOR, *words], cwd=ROOT, env=trusting, capture_output=True, text=True, check=False)  # noqa: S603 - our own


@pytest.fixture(scope="module")
def written(installed: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The settings that three answers at a terminal make of the account."""
    config = tmp_path_factory.mktemp("operator") / "frontdoor.toml"
    first_steps.furnish(installed)
    done = first_steps.initialize(installed, config, FRONTDOOR, ROOT)
    assert len(done.questions) == 3
    return config


def test_init_writes_what_the_account_has(installed: World, written: Path) -> None:
    settings = parse_toml(written.read_text("utf-8"), "written")
    assert (settings.domain, settings.cluster.name) == (installed.domain, installed.cluster)
    assert len(settings.cluster.subnet_ids) == 2
    assert settings.cluster.nat
    assert settings.registries[0].account == installed.account
    assert set(settings.registries[0].repositories) == {"frontdoor/*", "team/*"}


def test_check_finds_nothing_that_would_fail(installed: World, written: Path) -> None:
    done = frontdoor(installed, "check", "--config", str(written), "--json")
    findings = json.loads(done.stdout)
    assert done.returncode == 0, [one for one in findings if one["verdict"] == "fail"]
    fine = {one["check"] for one in findings if one["verdict"] == "ok"}
    assert fine >= {"settings", "aws", "bootstrap", "stack", "cluster", "network", "registries"}


def test_pull_verifies_what_the_pods_serve(installed: World) -> None:
    config = str(installation.settings_file(installed))
    image = f"{installed.app_repository}:{installed.app_tag}"
    done = frontdoor(installed, "pull", image, "--config", config, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    digest = run(("crane", "digest", installed.app_image), environment=installation.logged_in(installed)).strip()
    assert report["parts"][0]["digest"] == digest
    assert {"config", "layer"} <= {one["kind"] for one in report["parts"]}


def test_a_pull_that_is_not_allowed_shows_the_message_of_the_front_door(installed: World) -> None:
    config = str(installation.settings_file(installed))
    done = frontdoor(installed, "pull", "other/app:1", "--config", config)
    assert done.returncode == 1
    assert "answered 404" in done.stderr
