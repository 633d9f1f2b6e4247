"""The files for Prometheus and Grafana name what the pods have, and lead to the runbook."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from k8s_manifests.configuration import scripts
from scripts.alerts import ALERTS, DOCUMENT, ROOT, written
from tests.unit.test_documents import anchors

DASHBOARD = ROOT / "monitoring/dashboard.json"


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text("utf-8"))["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    return found


def test_the_table_of_the_runbook_is_that_of_the_alerts() -> None:
    document = DOCUMENT.read_text("utf-8")
    assert document == written(document, ALERTS.read_text("utf-8")), "run `python -m scripts.alerts`"


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_each_alert_leads_to_a_section_of_the_runbook(rule: dict[str, Any]) -> None:
    path, _, fragment = rule["annotations"]["runbook"].partition("#")
    assert ROOT / path == DOCUMENT
    assert fragment in anchors(DOCUMENT)
    assert fragment != "metrics", "that is the table in which the alert stands"
    assert rule["labels"]["severity"] in {"critical", "warning"}


def test_each_section_about_an_alert_of_the_pods_is_its_own() -> None:
    leads_to = {rule["alert"].lower(): rule["annotations"]["runbook"].partition("#")[2] for rule in rules()}
    sections = {anchor for anchor in anchors(DOCUMENT) if anchor.startswith("frontdoor")}
    assert len(sections) > 5
    assert {leads_to.get(section) for section in sections} == sections


def test_a_front_door_is_a_namespace_of_a_cluster() -> None:
    """In a Prometheus of several clusters each has the default namespace."""
    labels = [re.findall(r"\w+", found) for rule in rules() for found in re.findall(r"\(([\w, ]+)\)", rule["expr"])]
    assert len(labels) > 10
    assert [found for found in labels if "namespace" in found and "cluster" not in found] == []
    queries = [target["expr"] for panel in panels() for target in panel.get("targets", [])]
    selectors = [found for query in queries for found in re.findall(r"frontdoor_\w+(.*?\})", query)]
    assert len(selectors) > 30
    assert [found for found in selectors if not found.startswith('{cluster=~"$cluster",namespace=~"$namespace"')] == []


@pytest.mark.parametrize("file", [ALERTS, DASHBOARD], ids=lambda file: str(file.name))
def test_only_metrics_of_the_pods_are_named(file: Path) -> None:
    text = "\n".join(scripts().values())
    known = {f"frontdoor_{name}" for name in re.findall(r"\bfamily\(\s*'(\w+)'", text)}
    named = set(re.findall(r"\bfrontdoor_\w+", file.read_text("utf-8")))
    assert len(named) > 10
    assert named - known == set()


def test_each_panel_of_the_dashboard_has_a_place_of_its_own() -> None:
    cells = [
        (place["x"] + across, place["y"] + down)
        for place in (panel["gridPos"] for panel in panels())
        for across in range(place["w"])
        for down in range(place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert all(across < 24 for across, _ in cells)
    assert len({panel["id"] for panel in panels()}) == len({panel["title"] for panel in panels()}) == len(panels())
