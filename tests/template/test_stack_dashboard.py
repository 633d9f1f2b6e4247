"""The dashboard shows what the alarms are about, from metrics that exist; its picture is of this dashboard."""

from typing import Any

import pytest

from tests.template import configurations
from tests.template.dashboard_picture import PICTURE, SAMPLE, body, svg
from tests.template.synthesis import resources

GRAPHS = ["Token", "Refreshes in an hour", "Rollouts in an hour", "Errors", "Pods ready", "Duration"]
CANARYS = "Canary's pulls in an hour"


def shown(name: str = "public") -> list[dict[str, Any]]:
    """Namespace, name and dimensions of every metric on the dashboard."""
    lines = [line for w in body(name)["widgets"] if w["type"] == "metric" for line in w["properties"]["metrics"]]
    found = []
    for line in lines:
        if not isinstance(line[0], dict):  # an expression is a dict; a metric is names and a dict at the end
            namespace, metric, *pairs = line[:-1]
            found.append({"namespace": namespace, "name": metric, **dict(zip(pairs[::2], pairs[1::2], strict=True))})
    return found


def test_the_page_shows_the_alarms_first_and_a_graph_for_each_question() -> None:
    first, *graphs = body()["widgets"]
    assert first["type"] == "alarm"
    assert sorted(first["properties"]["alarms"]) == sorted(
        f"${{{alarm}.Arn}}" for alarm in resources("watched", "AWS::CloudWatch::Alarm")
    )
    assert [graph["properties"]["title"] for graph in graphs] == [*GRAPHS, CANARYS]


def test_it_shows_what_the_handler_emits_under_the_handlers_own_dimensions() -> None:
    settings = configurations.settings("public")
    own = [metric for metric in shown() if metric["namespace"] == "EcrFrontdoor"]
    assert {metric["name"] for metric in own} == {
        "TokenSecondsRemaining",
        "RefreshSucceeded",
        "Rollouts",
        "RolloutsStuck",
        "PodsReady",
        "DurationMilliseconds",
    }
    for metric in own:
        assert (metric["Domain"], metric["Cluster"], metric["Namespace"], metric["service"]) == (
            settings.domain,
            settings.cluster.name,
            settings.cluster.namespace,
            "ecr-frontdoor",
        )


def test_the_canary_has_a_graph_where_there_is_one() -> None:
    titles = [w["properties"]["title"] for w in body("several")["widgets"] if w["type"] == "metric"]
    assert titles == [*GRAPHS, CANARYS]
    assert "CanarySuccess" in {metric["name"] for metric in shown("several")}
    without = [w["properties"]["title"] for w in body("public")["widgets"] if w["type"] == "metric"]
    assert without == GRAPHS


@pytest.mark.parametrize(("name", "hours", "replicas"), [("public", 4.25, 2), ("several", 2, 2)])
def test_the_lines_across_are_those_of_the_alarm_and_of_the_settings(name: str, hours: float, replicas: int) -> None:
    graphs = [w["properties"] for w in body(name)["widgets"] if w["type"] == "metric"]
    lines = {g["title"]: g["annotations"]["horizontal"][0] for g in graphs if "annotations" in g}
    assert {title: (line["label"], line["value"]) for title, line in lines.items()} == {
        "Token": ("TokenRunsOut", hours),
        "Pods ready": ("proxy.replicas", replicas),
    }


def test_the_picture_is_of_this_dashboard_and_says_that_its_values_are_a_sample() -> None:
    drawn = svg(body())
    assert PICTURE.read_text(encoding="utf-8") == drawn, "run `make dashboard`"
    assert "The values are a sample" in drawn
    assert "Canary" in drawn


def test_no_sample_is_left_of_a_line_that_is_gone() -> None:
    drawn = svg(body())
    assert [label for label in SAMPLE if f"■ {label}<" not in drawn] == []
