"""examples/own_app: `FrontdoorStack` in another CDK app, installed as a package and run in its own folder."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.doctor.stack_resources import DEPLOYER_ROLE, REFRESHER_ROLE
from tests.template.configurations import EXAMPLES, ROOT
from tests.template.synthesis import template
from tests.template.test_stack_app import without_aws

NO_BUNDLE = json.dumps({"aws:cdk:bundling-stacks": []})
"""As with `cdk list`: the sources stand for the Lambda's bundle, which needs the network."""


@pytest.fixture(scope="module")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own_app")
    # What the front door's wheel would put there.
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "app.py"],
        cwd=EXAMPLES / "own_app",
        env=without_aws(CDK_OUTDIR=str(folder), CDK_CONTEXT_JSON=NO_BUNDLE, PYTHONPATH=path),
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def read(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / name).read_text("utf-8"))
    return found


def test_both_stacks_are_synthesized_and_the_front_door_comes_after_what_it_serves(synthesized: Path) -> None:
    artifacts = read(synthesized, "manifest.json")["artifacts"]
    stacks = {name: one for name, one in artifacts.items() if one["type"] == "aws:cloudformation:stack"}
    assert stacks.keys() == {"Repositories", "FrontDoor"}
    assert "Repositories" in stacks["FrontDoor"]["dependencies"]
    resources = read(synthesized, "Repositories.template.json")["Resources"].values()
    names = {one["Properties"]["RepositoryName"] for one in resources if one["Type"] == "AWS::ECR::Repository"}
    assert names == {"team/app", "team/web"}


def test_the_front_door_has_the_resources_that_it_has_in_its_own_app(synthesized: Path) -> None:
    ours, theirs = template("public")["Resources"], read(synthesized, "FrontDoor.template.json")["Resources"]
    assert sorted(one["Type"] for one in theirs.values()) == sorted(one["Type"] for one in ours.values())
    # The ids by which the doctor finds resources; others hold a digest or the name of the app's construct.
    of_doctor = (REFRESHER_ROLE, DEPLOYER_ROLE, "RefresherFunction", "Schedule", "Alarms")
    named = [
        sorted(key for key in each if key.startswith(of_doctor) and "Version" not in key) for each in (ours, theirs)
    ]
    assert named[0] == named[1]


def test_tags_of_the_app_are_those_of_the_front_door(synthesized: Path) -> None:
    resources = read(synthesized, "FrontDoor.template.json")["Resources"].values()
    queues = [one["Properties"]["Tags"] for one in resources if one["Type"] == "AWS::SQS::Queue"]
    assert queues
    assert all({"Key": "team", "Value": "platform"} in tags for tags in queues)
