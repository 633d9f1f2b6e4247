"""`cdk deploy --all -c config=FOLDER`: a stack for each file, the same as that of the file alone."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from stacks.environments import DEFAULTS
from tests.template import configurations
from tests.template.test_stack_app import CONTEXT, without_aws

FOLDER = configurations.EXAMPLES / "environments"
TEN = sorted(path.stem for path in FOLDER.glob("*.toml") if path.name != DEFAULTS)
THREE = ("build", "gateway", "prod-frankfurt")
# Nothing is installed: the bundle has tests of its own.
_CONTEXT = CONTEXT | {"aws:cdk:bundling-stacks": []}


def synthesized(config: Path, folder: Path) -> dict[str, dict[str, Any]]:
    """Runs the app, and returns the template of each stack by its name in CDK."""
    out = folder / "out"
    done = subprocess.run(
        [sys.executable, "app.py"],
        cwd=configurations.ROOT,
        env=without_aws(CDK_CONTEXT_JSON=json.dumps(_CONTEXT | {"config": str(config)}), CDK_OUTDIR=str(out)),
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    stacks = [path for path in out.glob("*.template.json") if "." not in path.name.removesuffix(".template.json")]
    return {path.name.removesuffix(".template.json"): json.loads(path.read_text("utf-8")) for path in stacks}


def folder_of(names: Iterable[str], folder: Path) -> Path:
    folder.mkdir()
    for name in (*names, "defaults"):
        shutil.copy(FOLDER / f"{name}.toml", folder)
    return folder


def resources(template: dict[str, Any]) -> dict[str, Any]:
    """Without what CDK takes from the name of a stack in its tree and a deployment may change: paths, a description."""
    found = {name: {**resource, "Metadata": None} for name, resource in template["Resources"].items()}
    replaced: dict[str, Any] = json.loads(re.sub(r"\([\w-]+(/Workload/Kubectl/Provider\))", r"\1", json.dumps(found)))
    return replaced


def test_a_folder_has_a_stack_for_each_file_and_a_file_that_moves_into_it_keeps_its_stack(tmp_path: Path) -> None:
    config = folder_of(THREE, tmp_path / "environments")
    with (config / "build.toml").open("a", encoding="utf-8") as file:
        file.write("\n[page]\ncatalogue = true\n")
    found = synthesized(config, tmp_path)
    assert set(found) == {*THREE}
    names = {
        name: artifact["properties"]["stackName"]
        for name, artifact in json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))["artifacts"].items()
        if artifact["type"] == "aws:cloudformation:stack"
    }
    assert names["build"] == "ecr-frontdoor-build-registry"
    assert len({*names.values()}) == len(THREE)
    (alone,) = synthesized(config / "build.toml", tmp_path / "alone").values()
    assert resources(found["build"]) == resources(alone)
    permissions = [name for name, each in resources(alone).items() if each["Type"] == "AWS::Lambda::Permission"]
    assert len(permissions) == 2, "of the run after a rollback, and of the catalogue's rounds"
    assert found["build"]["Outputs"] == alone["Outputs"]


def test_a_conflict_of_settings_names_the_file(tmp_path: Path) -> None:
    config = folder_of(["gateway"], tmp_path / "environments")
    file = config / "gateway.toml"
    text = file.read_text()
    file.write_text(text.replace('name = "gateway"', 'name = "gateway"\npublic_endpoint = false'))
    with pytest.raises(AssertionError, match=r"gateway\.toml: the settings conflict:\n +cluster\.public_endpoint"):
        synthesized(config, tmp_path)


@pytest.mark.long
def test_all_ten_clusters_of_the_example_have_a_stack(tmp_path: Path) -> None:
    found = synthesized(FOLDER, tmp_path)
    assert sorted(found) == TEN
    assert len(TEN) == 10
