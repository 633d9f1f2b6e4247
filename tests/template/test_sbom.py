"""The bill of materials of the real bundle, written by the real tool, which the test installs if it is missing."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from stacks import bundling
from tests.template.lock import pinned_for_the_lambda

MAKE = ("make", "--no-print-directory", "--directory", str(bundling.ROOT), ".venv/audit/installed")


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bill of materials, as `make sbom` writes it."""
    done = subprocess.run(MAKE, check=False, capture_output=True, text=True)  # noqa: S603 - our own arguments
    assert done.returncode == 0, done.stdout + done.stderr
    return describe(tmp_path_factory.mktemp("sbom") / "sbom.json")


def describe(path: Path) -> Path:
    script = bundling.ROOT / "scripts" / "sbom"
    subprocess.run((script, bundling.bundle(), path), check=True)  # noqa: S603 - our own arguments
    return path


def content(described: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(described.read_bytes())
    return found


def test_the_bill_of_materials_lists_exactly_the_bundle(described: Path) -> None:
    named = {canonicalize_name(c["name"]): c["version"] for c in content(described)["components"]}
    assert named == pinned_for_the_lambda()


def test_every_part_has_a_licence_and_a_package_url(described: Path) -> None:
    for component in content(described)["components"]:
        assert component["purl"].startswith(f"pkg:pypi/{canonicalize_name(component['name'])}@"), component
        assert component["licenses"], component


def test_the_bill_of_materials_has_the_product_and_the_dependencies(described: Path) -> None:
    found = content(described)
    assert (found["metadata"]["component"]["name"], found["specVersion"]) == ("ecr-frontdoor", "1.6")
    needs = {entry["ref"].partition("==")[0]: entry.get("dependsOn", []) for entry in found["dependencies"]}
    assert [name.partition("==")[0] for name in needs["Jinja2"]] == ["MarkupSafe"]


def test_the_bill_of_materials_of_one_bundle_is_reproducible(described: Path, tmp_path: Path) -> None:
    assert describe(tmp_path / "other.json").read_bytes() == described.read_bytes()
