"""`app.py` as the CDK command line runs it: in a process of its own."""

import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.leaks import HIDING_PLACES, LeakCheck
from tests.template import configurations

ROOT = configurations.ROOT
CDK = ROOT / "node_modules" / ".bin" / "cdk"
WRITTEN = ("EcrFrontdoor.template.json", "EcrFrontdoor.assets.json")
CONTEXT = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"] | {
    "aws:cdk:enable-path-metadata": True,
    "aws:cdk:enable-asset-metadata": True,
}
"""As the command line gives it to the app."""


def without_aws(**variables: str) -> Mapping[str, str]:
    """This environment without any AWS setting or credential."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    return kept | {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/nonexistent"} | variables


needs_cdk = pytest.mark.skipif(not CDK.exists(), reason="the CDK command line is not installed: run `make template`")


def run_app(config: Path, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    context = json.dumps(CONTEXT | {"config": str(config)})
    return subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env=without_aws(CDK_CONTEXT_JSON=context, CDK_OUTDIR=str(folder / "out"), **variables),
        text=True,
        capture_output=True,
        check=False,
    )


@dataclass(frozen=True)
class Synthesis:
    """What one run has printed and written."""

    printed: str
    folder: Path


@pytest.fixture(scope="module")
def leak_check() -> LeakCheck:
    return LeakCheck(password_bytes=200)


@pytest.fixture(scope="module")
def with_credentials(tmp_path_factory: pytest.TempPathFactory, leak_check: LeakCheck) -> Callable[[str], Synthesis]:
    """Runs the app on a configuration where every credential of the environment has the text of `leak_check`."""

    @functools.cache
    def run(name: str) -> Synthesis:
        folder = tmp_path_factory.mktemp(name)
        hidden = dict.fromkeys(HIDING_PLACES, leak_check.authorization)
        app = run_app(configuration(folder, name), folder, PYTHONHASHSEED="1", **hidden)
        assert app.returncode == 0, app.stderr
        return Synthesis(app.stdout + app.stderr, folder / "out")

    return run


@pytest.fixture(scope="module")
def without_credentials(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    """Runs `cdk synth` on the shipped frontdoor.toml without any AWS setting."""
    folder = tmp_path_factory.mktemp("cdk")
    config = configuration(folder, "shipped")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    synth = subprocess.run(  # noqa: S603 - our own arguments
        [str(CDK), "synth", "--quiet", "--output", str(folder / "out"), "-c", f"config={config}"],
        cwd=ROOT, env=without_aws(PATH=path, PYTHONHASHSEED="2"), text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert synth.returncode == 0, synth.stderr
    return Synthesis(synth.stdout + synth.stderr, folder / "out")


def configuration(folder: Path, name: str) -> Path:
    path = folder / "config.toml"
    path.write_text(configurations.text(name), encoding="utf-8")
    return path


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


@pytest.mark.parametrize("name", ["shipped", "external"])
def test_the_output_and_files_of_synthesis_hold_no_credential(
    with_credentials: Callable[[str], Synthesis], leak_check: LeakCheck, name: str
) -> None:
    synthesis = with_credentials(name)
    # Not the assets: the bundle of pinned packages, and the archives that CDK copies unchanged.
    files = [path for path in synthesis.folder.iterdir() if path.is_file() and path.suffix != ".zip"]
    assert synthesis.folder / "EcrFrontdoor.template.json" in files
    assert leak_check.leaks(synthesis.printed) == []
    assert {path: found for path in files if (found := leak_check.leaks(path.read_bytes()))} == {}


@needs_cdk
def test_a_second_synthesis_in_another_environment_is_identical(
    with_credentials: Callable[[str], Synthesis], without_credentials: Synthesis
) -> None:
    first = with_credentials("shipped").folder
    for name in WRITTEN:
        assert (without_credentials.folder / name).read_bytes() == (first / name).read_bytes(), name


@needs_cdk
def test_cdk_synth_needs_neither_credentials_nor_context_and_names_the_stack_by_cluster_and_namespace(
    without_credentials: Synthesis,
) -> None:
    manifest = json.loads((without_credentials.folder / "manifest.json").read_text(encoding="utf-8"))
    stack = manifest["artifacts"]["EcrFrontdoor"]
    assert stack["properties"]["stackName"] == "ecr-frontdoor-shared-registry"
    assert stack["environment"] == "aws://unknown-account/ap-southeast-2"
    assert "missing" not in manifest
