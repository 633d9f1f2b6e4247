"""`app.py` as the CDK command line runs it: in a process of its own, without credentials."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.template import configurations

ROOT = configurations.ROOT
CDK = ROOT / "node_modules" / ".bin" / "cdk"


WRITTEN = ("EcrFrontdoor.template.json", "EcrFrontdoor.assets.json")


def without_aws(**variables: str) -> Mapping[str, str]:
    """This environment without any AWS setting or credential."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    return kept | {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/nonexistent"} | variables


def run_app(config: Path, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    context = json.dumps({"config": str(config), "aws:cdk:bundling-stacks": []})
    return subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env=without_aws(CDK_CONTEXT_JSON=context, CDK_OUTDIR=str(folder / "out"), **variables),
        text=True,
        capture_output=True,
        check=False,
    )


def test_an_invalid_file_is_reported_with_all_mistakes_and_no_traceback(tmp_path: Path) -> None:
    config = tmp_path / "wrong.toml"
    config.write_text(configurations.text("public").replace("shared", "sha red").replace("123456789012", "1234"))
    app = run_app(config, tmp_path)
    assert app.returncode == 1
    assert app.stderr == (
        f"ecr-frontdoor: {config} has 2 mistakes:\n"
        '  cluster.name = "sha red": must be an EKS cluster\'s name: letters, digits, - and _\n'
        "  registries[0].account = \"1234\": must be an AWS account: 12 digits in quotes, like '123456789012'\n"
    )


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    app = run_app(tmp_path / "none.toml", tmp_path)
    assert app.returncode == 1
    (line,) = app.stderr.splitlines()
    assert str(tmp_path / "none.toml") in line
    assert "-c config=PATH" in line


def test_a_file_that_is_not_text_is_reported_in_one_line(tmp_path: Path) -> None:
    config = tmp_path / "binary.toml"
    config.write_bytes(b"\xff\xfe")
    app = run_app(config, tmp_path)
    assert app.returncode == 1
    assert app.stderr == f"ecr-frontdoor: {config} is not TOML: Invalid statement (at line 1, column 1)\n"


def test_two_syntheses_of_one_file_are_identical(tmp_path: Path) -> None:
    config = configurations.EXAMPLES / "nlb.toml"
    outputs = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        app = run_app(config, folder, PYTHONHASHSEED=seed)
        assert app.returncode == 0, app.stderr
        outputs.append({name: (folder / "out" / name).read_bytes() for name in WRITTEN})
    assert outputs[0] == outputs[1]


@pytest.mark.skipif(not CDK.exists(), reason="the CDK command line is not installed: run `make template`")
def test_cdk_synth_needs_neither_credentials_nor_context_and_names_the_stack_by_cluster_and_namespace(
    tmp_path: Path,
) -> None:
    config = tmp_path / "several.toml"
    config.write_text(configurations.text("several"))
    # Nothing is installed here: the bundle has a test of its own.
    command = [str(CDK), "synth", "--quiet", "--output", str(tmp_path / "out"), "-c", f"config={config}"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    synth = subprocess.run(  # noqa: S603 - our own arguments
        command, cwd=ROOT, env=without_aws(PATH=path), text=True, capture_output=True, check=False
    )
    assert synth.returncode == 0, synth.stderr
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    stack = manifest["artifacts"]["EcrFrontdoor"]
    assert stack["properties"]["stackName"] == "ecr-frontdoor-blue-1-pulls-50d4a9"
    assert stack["environment"] == "aws://unknown-account/eu-west-1"
    assert "missing" not in manifest
