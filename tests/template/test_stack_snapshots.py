"""The templates and nginx configurations of the examples equal the reviewed files."""

import json
import re
from pathlib import Path

import pytest

from tests.template import snapshots

MANIFEST = "Custom::AWSCDK-EKS-KubernetesResource"


@pytest.mark.parametrize("kind", snapshots.PRODUCED)
@pytest.mark.parametrize("name", snapshots.NAMES)
def test_the_template_and_configuration_of_an_example_equal_the_reviewed_files(name: str, kind: str) -> None:
    difference = snapshots.difference(name, kind)
    assert not difference, f"`make snapshots` writes the file again; review what changed:\n{difference}"


def test_a_reviewed_template_holds_no_digest_of_code() -> None:
    assert not re.search(r"[0-9a-f]{32}", "".join(map(snapshots.snapshot, snapshots.NAMES)))


@pytest.mark.parametrize("name", [name for name in snapshots.NAMES if name != "external"])
def test_a_reviewed_template_shows_its_kubernetes_objects_without_their_files(name: str) -> None:
    reviewed = json.loads(snapshots.snapshot(name))["Resources"].values()
    manifest = [item for r in reviewed if r["Type"] == MANIFEST for item in r["Properties"]["Manifest"]]
    assert {"Namespace", "Deployment", "ConfigMap"} <= {item["kind"] for item in manifest}
    files = [text for item in manifest if item["kind"] == "ConfigMap" for text in item["data"].values()]
    assert set(files) == {"TEXT"}
    assert "proxy_pass" not in snapshots.snapshot(name)


def test_a_reference_in_an_object_names_its_resource() -> None:
    reviewed = json.loads(snapshots.snapshot("nlb"))["Resources"]
    manifest = [item for r in reviewed.values() if r["Type"] == MANIFEST for item in r["Properties"]["Manifest"]]
    bindings = [item for item in manifest if item["kind"] == "TargetGroupBinding"]
    assert len(bindings) == 2
    assert {binding["spec"]["targetGroupARN"].strip("${}") for binding in bindings} <= set(reviewed)


def test_a_changed_template_is_shown_as_a_diff(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = snapshots.NAMES[0]
    monkeypatch.setattr(snapshots, "FOLDER", tmp_path)
    snapshots.path(name).write_text(snapshots.snapshot(name).replace('"Timeout": 420', '"Timeout": 421'))
    shown = snapshots.difference(name)
    assert '-        "Timeout": 421' in shown
    assert '+        "Timeout": 420' in shown
