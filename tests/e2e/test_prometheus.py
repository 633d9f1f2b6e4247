"""A real Prometheus scrapes the pods, evaluates the alerts, and has data for each panel of the dashboard."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from testbed.sandbox import installation, pulls
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.commands import run
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.prometheus import Prometheus, promtool, running
from testbed.sandbox.world import World
from testbed.waiting import wait_until

MONITORING = Path(__file__).parents[2] / "monitoring"
ALERTS = MONITORING / "alerts.yaml"
VARIABLES = {"$cluster": ".*", "$namespace": ".*", "$__rate_interval": "20s"}
"""Of the dashboard: all clusters and namespaces, and more than two scrapes."""
REFUSES = "FrontdoorEcrRefuses"

pytestmark = pytest.mark.usefixtures("installed")


@pytest.fixture(scope="module")
def prometheus(installed: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """It finds the pods in the real API server, as the repository's scrape configuration says."""
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "kubeconfig").write_text(run(("kubectl", "config", "view", "--flatten", "--raw")))
    scrape = yaml.safe_load((MONITORING / "scrape.yaml").read_text("utf-8"))
    for found in (one for config in scrape["scrape_configs"] for one in config["kubernetes_sd_configs"]):
        found["kubeconfig_file"] = "/tmp/kubeconfig"  # noqa: S108 - inside
    with running(folder, installed, scrape, ALERTS) as server:
        pods = len(installation.proxy_pods(installed))
        wait_until(lambda: healthy(server) == pods, f"{pods} pods are scraped")
        yield server


def healthy(prometheus: Prometheus) -> int:
    return sum(target["health"] == "up" for target in prometheus.targets())


def panels(dashboard: Mapping[str, Any]) -> dict[str, list[str]]:
    """The queries of each panel, by its title."""
    return {
        panel["title"]: [target["expr"] for target in panel["targets"]]
        for panel in dashboard["panels"]
        if panel["type"] != "row"
    }


@pytest.mark.rule("R80")
def test_every_panel_of_the_dashboard_has_data(prometheus: Prometheus, world: World) -> None:
    assert pulls.pull_with_crane(world, pulls.public_image(world))
    assert pulls.pull_with_crane(world, pulls.public_image(world))
    time.sleep(3)
    without_data = []
    for title, queries in panels(json.loads((MONITORING / "dashboard.json").read_text("utf-8"))).items():
        for query in queries:
            asked = re.sub(r"\$\w+", lambda found: VARIABLES.get(found[0], found[0]), query)
            assert "$" not in asked, f"{title}: a variable that this test does not know"
            if not prometheus.query(asked):
                without_data.append(f"{title}: {asked}")
    assert without_data == []


@pytest.mark.rule("R111")
def test_a_pull_is_seen_in_prometheus(prometheus: Prometheus, world: World) -> None:
    """First as misses, then as hits, of all pods together."""
    digest = installation.push_new_layer(world, world.app_repository, 3 << 20)
    pods = installation.proxy_pods(world)

    def counted(name: str, labels: str = "") -> float:
        return sum(float(series["value"][1]) for series in prometheus.query(f"frontdoor_{name}{labels}"))

    misses, hits = counted("requests_total", '{cache="miss"}'), counted("requests_total", '{cache="hit"}')
    from_s3, sent = counted("s3_bytes_total"), counted("sent_bytes_total")
    for _ in range(2):
        for pod in pods:
            pulls.fetch_from_pod(world, pod, f"v2/{world.app_repository}/blobs/{digest}")
    wait_until(lambda: counted("requests_total", '{cache="miss"}') - misses >= len(pods), "each pod's miss is scraped")
    wait_until(lambda: counted("requests_total", '{cache="hit"}') - hits >= len(pods), "each pod's hit is scraped")
    assert counted("s3_bytes_total") - from_s3 == len(pods) * (3 << 20)
    assert counted("sent_bytes_total") - sent == 2 * len(pods) * (3 << 20)


def test_the_rules_are_evaluated_and_an_alert_goes_off(prometheus: Prometheus, control: Control, world: World) -> None:
    expected = {
        rule["alert"] for group in yaml.safe_load(ALERTS.read_text("utf-8"))["groups"] for rule in group["rules"]
    }
    wait_until(lambda: all(rule["health"] == "ok" for rule in prometheus.rules().values()), "every rule is evaluated")
    assert prometheus.rules().keys() == expected
    assert state(prometheus, REFUSES) == "inactive"
    control.expire_tokens()
    try:
        with pytest.raises(SandboxError):
            pulls.pull_with_crane(world, f"{world.domain}/{world.app_repository}:never-pulled")
        wait_until(lambda: state(prometheus, REFUSES) == "firing", "the alert goes off")
    finally:
        assert installation.refresh(world, {}).error is None


def state(prometheus: Prometheus, alert: str) -> str:
    found: str = prometheus.rules()[alert]["state"]
    return found


@pytest.mark.parametrize("words", [("check", "rules", "alerts.yaml"), ("test", "rules", "alerts-tests.yaml")])
def test_promtool_accepts_the_rules_and_their_tests_pass(world: World, tmp_path: Path, words: tuple[str, ...]) -> None:
    for name in ("alerts.yaml", "alerts-tests.yaml"):
        (tmp_path / name).write_bytes((MONITORING / name).read_bytes())
    checked = promtool(world, tmp_path, *words)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_each_alert_has_a_test_that_makes_it_go_off() -> None:
    rules = yaml.safe_load(ALERTS.read_text("utf-8"))["groups"][0]["rules"]
    tests = yaml.safe_load((MONITORING / "alerts-tests.yaml").read_text("utf-8"))["tests"]
    expected = {
        alert
        for test in tests
        for asked in test["promql_expr_test"]
        if asked["exp_samples"]
        for alert in re.findall(r'alertname="(\w+)"', asked["expr"])
    }
    assert {rule["alert"] for rule in rules} == expected
