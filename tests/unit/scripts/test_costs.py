import json
import tomllib
from typing import Any

import pytest

from lambda_fn.contract.metrics import OF_PULL, OF_ROLLOUT, OF_RUN
from scripts import costs

PRICES = {
    "nlb_hour": 0.02,
    "nlcu_hour": 0.006,
    "endpoint_hour": 0.01,
    "zone_gb": 0.01,
    "region_gb": 0.02,
    "ecr_gb_month": 0.1,
    "nat_gb": 0.045,
    "lambda_gb_second": 0.00001,
    "lambda_request": 0.0000002,
    "log_gb": 0.5,
    "alarm_metric": 0.1,
    "custom_metric": 0.3,
    "dashboard": 3.0,
    "kms_key": 1.0,
    "sqs_request": 0.0000005,
}


def template(*more: dict[str, Any]) -> dict[str, Any]:
    function = {"Handler": "lambda_fn.handler.handler", "MemorySize": 512}
    resources = [{"Type": "AWS::Lambda::Function", "Properties": function}, *more]
    return {"Resources": {f"Id{number}": resource for number, resource in enumerate(resources)}}


def balancer(*, zones: int = 2, **attributes: str) -> dict[str, Any]:
    listed = [{"Key": key.replace("__", "."), "Value": value} for key, value in attributes.items()]
    properties = {"Subnets": ["subnet"] * zones, "LoadBalancerAttributes": listed}
    return {"Type": "AWS::ElasticLoadBalancingV2::LoadBalancer", "Properties": properties}


def schedule(minutes: int) -> dict[str, Any]:
    return {"Type": "AWS::Scheduler::Schedule", "Properties": {"ScheduleExpression": f"rate({minutes} minutes)"}}


def cost(item: str, *more: dict[str, Any]) -> float:
    return costs.monthly(costs.resources(template(*more)), PRICES)[item]


def test_the_document_has_what_the_script_writes() -> None:
    document = costs.DOCUMENT.read_text("utf-8")
    assert document == costs.written(document), "run `make docs`"


def test_every_example_has_a_column() -> None:
    examples = {path.stem for path in (costs.ROOT / "examples").glob("*.toml")}
    assert examples == {path.name.split(".")[0] for path in costs.TEMPLATES.glob("*.template.json")}
    assert all(f"| `{name}` |" in costs.DOCUMENT.read_text("utf-8") for name in examples)


def test_every_price_has_its_page_and_where_it_was_read_and_is_used() -> None:
    listed = tomllib.loads(costs.PRICES.read_text("utf-8"))
    assert all(entry["page"].startswith("https://aws.amazon.com/") and entry["seen"] for entry in listed.values())
    assert listed.keys() == PRICES.keys()


def test_an_interface_endpoint_costs_in_each_zone_and_a_gateway_endpoint_nothing() -> None:
    interface = {"VpcEndpointType": "Interface", "SubnetIds": ["a", "b", "c"]}
    gateway = {"VpcEndpointType": "Gateway", "RouteTableIds": ["rtb"]}
    endpoints = [{"Type": "AWS::EC2::VPCEndpoint", "Properties": each} for each in (interface, gateway)]
    assert cost("interface endpoints", *endpoints) == pytest.approx(3 * 7.30)


def test_an_alarm_with_metric_math_costs_for_each_of_its_metrics() -> None:
    math = {"Metrics": [{"Expression": "a+b"}, {"MetricStat": {}}, {"MetricStat": {}}]}
    alarms = [{"Type": "AWS::CloudWatch::Alarm", "Properties": each} for each in (math, {"MetricName": "Errors"})]
    assert cost("alarms", *alarms) == pytest.approx(0.3)


@pytest.mark.parametrize(("minutes", "hours"), [(240, 0.25), (60, 1.0), (5, 1.0)])
def test_a_metric_costs_for_the_hours_that_have_a_value(minutes: int, hours: float) -> None:
    assert cost("custom metrics", schedule(minutes)) == pytest.approx(len(OF_RUN + OF_ROLLOUT) * 0.3 * hours)


def test_the_canary_adds_its_metrics_and_its_runs() -> None:
    with_canary = costs.resources(template(schedule(240), schedule(15)))
    assert (with_canary.custom_metrics, with_canary.runs_per_hour) == (len(OF_RUN + OF_ROLLOUT + OF_PULL), 4.25)


def test_a_run_costs_its_request_and_its_memory_for_its_time() -> None:
    assert cost("Lambda", schedule(60)) == pytest.approx(730 * (0.0000002 + 10 * 0.5 * 0.00001))


def test_the_catalogue_costs_its_metric_its_alarm_and_at_most_the_whole_time_of_each_run() -> None:
    watcher = {"Handler": "lambda_fn.watcher.handler", "MemorySize": 512, "Timeout": 90}
    found = costs.resources(template({"Type": "AWS::Lambda::Function", "Properties": watcher}))
    watched, most_runs = costs.catalogue(found, PRICES)
    assert watched == pytest.approx(0.4)
    assert most_runs == pytest.approx(12 * 730 * (0.0000002 + 90 * 0.5 * 0.00001))


@pytest.mark.parametrize(
    ("zones", "attributes", "usd"),
    [
        (1, {"load_balancing__cross_zone__enabled": "true"}, 0),
        (2, {"load_balancing__cross_zone__enabled": "true"}, 20),
        (3, {"load_balancing__cross_zone__enabled": "true"}, 26.67),
        (2, {}, 10),
        (2, {"dns_record__client_routing_policy": "availability_zone_affinity"}, 0),
        (2, {"dns_record__client_routing_policy": "partial_availability_zone_affinity"}, 1.5),
    ],
)
def test_a_tb_crosses_zones_as_the_attributes_of_the_nlb_let_it(
    zones: int, attributes: dict[str, str], usd: float
) -> None:
    found = costs.resources(template(balancer(zones=zones, **attributes))).balancer
    assert found
    assert costs.per_tb(found, PRICES)["traffic between zones"] == pytest.approx(usd, abs=0.01)


def test_a_region_without_all_prices_has_no_table() -> None:
    listed = {name: {"what": name, "page": "", "seen": "", "usd": {"here": usd}} for name, usd in PRICES.items()}
    listed["kms_key"]["usd"] = {"elsewhere": 1.0}
    example = costs.resources(json.loads((costs.TEMPLATES / "nlb.template.json").read_text("utf-8")))
    assert [part for part in costs.tables({"nlb": example}, listed) if part.startswith("##")] == ["## List prices"]


def test_a_replica_costs_traffic_between_regions_for_pushes_and_for_pulls_and_storage() -> None:
    found = costs.replica(PRICES)
    assert list(found.values()) == [pytest.approx(20), pytest.approx(100), pytest.approx(20)]
