"""`frontdoor pull` as an operator runs it on the sandbox, against the pods."""

import json
import subprocess

from testbed.sandbox import installation
from testbed.sandbox.commands import run
from testbed.sandbox.deployment.cdk import ROOT, operator
from testbed.sandbox.new_user import FRONTDOOR
from testbed.sandbox.world import World


def frontdoor(world: World, *words: str) -> subprocess.CompletedProcess[str]:
    trusting = dict(operator(world)) | {"SSL_CERT_FILE": str(world.ca.certificate)}
    return subprocess.run([*FRONTDOOR, *words], cwd=ROOT, env=trusting, capture_output=True, text=True, check=False)  # noqa: S603 - our own


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
