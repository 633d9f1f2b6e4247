"""The dashboard shows the alarms and the metrics that the Lambda emits; its picture shows this dashboard."""

from typing import Any

import pytest

from tests.template import configurations
from tests.template.dashboard_picture import PICTURE, SAMPLE, body, svg
from tests.template.synthesis import resources

GRAPHS = [
    "Token lifetime left",
    "Refresh runs per hour",
    "Rollouts per hour",
    "Errors",
    "Ready pods",
    "Run duration",
]
CANARY_GRAPH = "Canary pulls per hour"
EVENTS_GRAPHS = ["Deletions in ECR", "ECR's events"]


def shown(name: str = "public") -> list[dict[str, Any]]:
    """Namespace, name and dimensions of every metric on the dashboard."""
    lines = [line for w in body(name)["widgets"] if w["type"] == "metric" for line in w["properties"]["metrics"]]
    found = []
    for line in lines:
        if not isinstance(line[0], dict):  # an expression is a dict; a metric is names and a dict at the end
            namespace, metric, *pairs = line[:-1]
            found.append({"namespace": namespace, "name": metric, **dict(zip(pairs[::2], pairs[1::2], strict=True))})
    return found


def test_the_dashboard_shows_the_alarms_first_and_then_the_graphs() -> None:
    first, *graphs = body()["widgets"]
    assert first["type"] == "alarm"
    assert sorted(first["properties"]["alarms"]) == sorted(
        f"${{{alarm}.Arn}}" for alarm in resources("watched", "AWS::CloudWatch::Alarm")
    )
    assert [graph["properties"]["title"] for graph in graphs] == [*GRAPHS, CANARY_GRAPH, *EVENTS_GRAPHS]


def test_the_dashboard_shows_the_emitted_metrics_with_the_dimensions_of_the_handler() -> None:
    settings = configurations.settings("public")
    own = [metric for metric in shown() if metric["namespace"] == "EcrFrontdoor"]
    assert {metric["name"] for metric in own} == {
        "TokenSecondsRemaining",
        "RefreshSucceeded",
        "Rollouts",
        "RolloutsStuck",
        "PodsReady",
        "PodsKilled",
        "DurationMilliseconds",
    }
    for metric in own:
        assert (metric["Domain"], metric["Cluster"], metric["Namespace"], metric["service"]) == (
            settings.domain,
            settings.cluster.name,
            settings.cluster.namespace,
            "ecr-frontdoor",
        )


def test_the_canary_has_a_graph_only_where_it_is_configured() -> None:
    titles = [w["properties"]["title"] for w in body("several")["widgets"] if w["type"] == "metric"]
    assert titles == [*GRAPHS, CANARY_GRAPH, *EVENTS_GRAPHS]
    assert "CanarySuccess" in {metric["name"] for metric in shown("several")}
    without = [w["properties"]["title"] for w in body("public")["widgets"] if w["type"] == "metric"]
    assert without == [*GRAPHS, *EVENTS_GRAPHS]


@pytest.mark.parametrize(("name", "hours", "replicas"), [("public", 4.25, 2), ("several", 2, 2)])
def test_the_limit_lines_have_the_values_of_the_alarm_and_of_the_settings(
    name: str, hours: float, replicas: int
) -> None:
    graphs = [w["properties"] for w in body(name)["widgets"] if w["type"] == "metric"]
    lines = {g["title"]: g["annotations"]["horizontal"][0] for g in graphs if "annotations" in g}
    assert {title: (line["label"], line["value"]) for title, line in lines.items()} == {
        "Token lifetime left": ("TokenRunsOut", hours),
        "Ready pods": ("proxy.replicas", replicas),
    }


def test_the_picture_is_drawn_from_this_dashboard() -> None:
    drawn = svg(body())
    assert PICTURE.read_text(encoding="utf-8") == drawn, "run `make docs`"
    assert CANARY_GRAPH in drawn


def test_every_sample_belongs_to_a_line_of_the_dashboard() -> None:
    graphs = [w["properties"] for w in body()["widgets"] if w["type"] == "metric"]
    lines = {
        (graph["title"], line[-1]["label"]) for graph in graphs for line in graph["metrics"] if "label" in line[-1]
    }
    assert set(SAMPLE) == lines
