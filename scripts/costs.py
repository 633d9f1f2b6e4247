"""What an installation costs, in docs/costs.md: `python -m scripts.costs` writes it.

The resources are counted in the reviewed templates of the examples, the metrics in the contract of the Lambda. The list
prices with their sources are in `prices.toml` beside this file.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lambda_fn.contract.metrics import OF_CATALOGUE, OF_PULL, OF_ROLLOUT, OF_RUN
from lambda_fn.contract.runtime import HANDLER, WATCHER_HANDLER

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs/costs.md"
PRICES = ROOT / "scripts/prices.toml"
TEMPLATES = ROOT / "tests/template/reference"
_BEGIN, _END = "<!-- generated: costs -->", "<!-- end of generated -->"

HOURS = 730
"""A month, as in AWS's calculator."""
GB_IN_TB = 1000
SIZES_TB = {"small": 0.5, "medium": 5.0, "large": 50.0}
RUN_SECONDS, RUN_LOG_GB = 10.0, 0.00002
"""Assumed for each run of the Lambda, so that runs with a rollout are covered: time, and 20 kB of log."""
POLLS_PER_HOUR = 5 * 180
"""Of each queue that starts a function: Lambda keeps five connections, which wait for messages for 20 s.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
"""
CATALOGUE_RUNS_PER_HOUR = 12
"""Of the watcher with `page.catalogue`: stacks/catalogue_rounds.py. A run between two rounds ends at once."""
DIRECT_ENDPOINTS = 2
"""`ecr.api` and `ecr.dkr`: a VPC without NAT needs them to pull straight from ECR, beside S3's gateway endpoint."""
_TO_OTHER_ZONES = {
    "any_availability_zone": 1.0,
    "partial_availability_zone_affinity": 0.15,
    "availability_zone_affinity": 0.0,
}
"""The share of clients that DNS may send to another zone.

https://docs.aws.amazon.com/elasticloadbalancing/latest/network/network-load-balancers.html#zonal-dns-affinity
"""

Prices = Mapping[str, float]
"""USD by the name of the price, in one region."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balancer:
    """The NLB.

    Attributes:
        zones: How many zones it has.
        cross_zone: It sends connections to the pods of all zones.
        routing: Which of its zones a client gets from DNS, as AWS names it.
    """

    zones: int
    cross_zone: bool
    routing: str

    @property
    def crossings(self) -> float:
        """How often a byte crosses zones on average, with clients and pods spread evenly over the zones."""
        other = (self.zones - 1) / self.zones
        return other * (_TO_OTHER_ZONES[self.routing] + self.cross_zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What a template has that costs.

    Attributes:
        balancer: The NLB; None without one.
        endpoint_zones: Zones of all interface endpoints.
        alarm_metrics: Metrics of all alarms.
        custom_metrics: Metrics that the Lambda emits.
        dashboards: How many.
        keys: KMS keys.
        runs_per_hour: Runs of the Lambda that schedules start.
        memory_gb: The Lambda's memory.
        watcher_gb_seconds: The memory of the watcher for the longest time of one run; 0 without one.
        polled_queues: Queues that start a function.
    """

    balancer: Balancer | None
    endpoint_zones: int
    alarm_metrics: int
    custom_metrics: int
    dashboards: int
    keys: int
    runs_per_hour: float
    memory_gb: float
    watcher_gb_seconds: float
    polled_queues: int


def resources(template: Mapping[str, Any]) -> Resources:
    """Counts the resources of a template."""
    by_type: dict[str, list[Mapping[str, Any]]] = {}
    for resource in template["Resources"].values():
        by_type.setdefault(resource["Type"], []).append(resource.get("Properties", {}))
    schedules = by_type.get("AWS::Scheduler::Schedule", [])
    pulls = OF_PULL if len(schedules) > 1 else ()
    (function,) = (f for f in by_type["AWS::Lambda::Function"] if f["Handler"] == HANDLER)
    watchers = [f for f in by_type["AWS::Lambda::Function"] if f["Handler"] == WATCHER_HANDLER]
    endpoints = by_type.get("AWS::EC2::VPCEndpoint", [])
    return Resources(
        balancer=next(map(_balancer, by_type.get("AWS::ElasticLoadBalancingV2::LoadBalancer", [])), None),
        endpoint_zones=sum(len(e["SubnetIds"]) for e in endpoints if e["VpcEndpointType"] == "Interface"),
        alarm_metrics=sum(map(_metrics_of, by_type.get("AWS::CloudWatch::Alarm", []))),
        custom_metrics=len((*OF_RUN, *OF_ROLLOUT, *pulls)),
        dashboards=len(by_type.get("AWS::CloudWatch::Dashboard", [])),
        keys=len(by_type.get("AWS::KMS::Key", [])),
        runs_per_hour=sum(map(_runs_per_hour, schedules)),
        memory_gb=function["MemorySize"] / 1024,
        watcher_gb_seconds=sum(f["MemorySize"] / 1024 * f["Timeout"] for f in watchers),
        polled_queues=len(by_type.get("AWS::Lambda::EventSourceMapping", [])),
    )


def _balancer(properties: Mapping[str, Any]) -> Balancer:
    attributes = {entry["Key"]: entry["Value"] for entry in properties["LoadBalancerAttributes"]}
    return Balancer(
        zones=len(properties.get("Subnets") or properties["SubnetMappings"]),
        cross_zone=attributes.get("load_balancing.cross_zone.enabled") == "true",
        routing=attributes.get("dns_record.client_routing_policy", "any_availability_zone"),
    )


def _metrics_of(alarm: Mapping[str, Any]) -> int:
    return sum("MetricStat" in metric for metric in alarm["Metrics"]) if "Metrics" in alarm else 1


def _runs_per_hour(schedule: Mapping[str, Any]) -> float:
    minutes = schedule["ScheduleExpression"].removeprefix("rate(").split(" ")[0]
    return 60 / int(minutes)


def monthly(of: Resources, prices: Prices) -> dict[str, float]:
    """USD a month of what does not depend on pulls."""
    runs = of.runs_per_hour * HOURS
    run = prices["lambda_request"] + RUN_SECONDS * of.memory_gb * prices["lambda_gb_second"]
    return {
        "NLB": prices["nlb_hour"] * HOURS if of.balancer else 0,
        "interface endpoints": of.endpoint_zones * prices["endpoint_hour"] * HOURS,
        "alarms": of.alarm_metrics * prices["alarm_metric"],
        "custom metrics": of.custom_metrics * prices["custom_metric"] * min(1, of.runs_per_hour),
        "dashboard": of.dashboards * prices["dashboard"],
        "KMS key": of.keys * prices["kms_key"],
        "Lambda": runs * run,
        "logs of the Lambda": runs * RUN_LOG_GB * prices["log_gb"],
        "queue of ECR's events": of.polled_queues * POLLS_PER_HOUR * HOURS * prices["sqs_request"],
    }


def per_tb(balancer: Balancer, prices: Prices) -> dict[str, float]:
    """USD for each TB that clients pull through the NLB."""
    return {
        "NLB capacity units": GB_IN_TB * prices["nlcu_hour"],
        "traffic between zones": GB_IN_TB * 2 * prices["zone_gb"] * balancer.crossings,
    }


def catalogue(of: Resources, prices: Prices) -> tuple[float, float]:
    """USD a month of `page.catalogue`: its metric with the alarm on it, and its runs if each took all of its time."""
    watched = len(OF_CATALOGUE) * (prices["custom_metric"] + prices["alarm_metric"])
    run = prices["lambda_request"] + of.watcher_gb_seconds * prices["lambda_gb_second"]
    return watched, CATALOGUE_RUNS_PER_HOUR * HOURS * run


def replica(prices: Prices) -> dict[str, float]:
    """USD for each TB of `[[registries.replicas]]`, as if its own region had the same prices."""
    return {
        "pushed, which ECR replicates": GB_IN_TB * prices["region_gb"],
        "stored a second time, a month": GB_IN_TB * prices["ecr_gb_month"],
        "pulled while the registry fails, and not cached": GB_IN_TB * prices["region_gb"],
    }


def tables(examples: Mapping[str, Resources], listed: Mapping[str, Any]) -> Iterator[str]:
    """The generated part of the document.

    Args:
        examples: The resources of each example, by its name.
        listed: The content of `prices.toml`.
    """
    for region in sorted(set.intersection(*(set(entry["usd"]) for entry in listed.values())), reverse=True):
        prices = {name: entry["usd"][region] for name, entry in listed.items()}
        yield f"## {region}"
        yield _fixed(examples, prices)
        for name, of in examples.items():
            if of.balancer:
                yield f"`{name}`, by what clients pull in a month:"
                yield _by_size(of, of.balancer, prices)
                yield "What lowers it:"
                yield _levers(of, of.balancer, prices)
        yield "A replica in another region:"
        yield _table(("USD a TB", ""), [(item, _usd(usd)) for item, usd in replica(prices).items()])
    yield "## List prices"
    rows = [
        (f"[{e['what']}]({e['page']})", ", ".join(f"{r} {_plain(usd)}" for r, usd in e["usd"].items()), e["seen"])
        for e in listed.values()
    ]
    yield _table(("price", "USD", "where the figure was read"), rows)


def _fixed(examples: Mapping[str, Resources], prices: Prices) -> str:
    costs = [monthly(of, prices) for of in examples.values()]
    rows = [(item, *(_usd(cost[item]) for cost in costs)) for item in costs[0]]
    total = ("**all**", *(f"**{_usd(sum(cost.values()))}**" for cost in costs))
    return _table(("USD a month, without pulls", *(f"`{name}`" for name in examples)), [*rows, total])


def _by_size(of: Resources, balancer: Balancer, prices: Prices) -> str:
    fixed, each = sum(monthly(of, prices).values()), per_tb(balancer, prices)
    direct = DIRECT_ENDPOINTS * balancer.zones * prices["endpoint_hour"] * HOURS
    rows: list[tuple[str, Sequence[float]]] = [
        ("without pulls", [fixed] * len(SIZES_TB)),
        *((item, [tb * usd for tb in SIZES_TB.values()]) for item, usd in each.items()),
        ("**all**", [fixed + tb * sum(each.values()) for tb in SIZES_TB.values()]),
        ("straight from ECR, through endpoints", [direct] * len(SIZES_TB)),
        ("straight from ECR, through NAT", [tb * GB_IN_TB * prices["nat_gb"] for tb in SIZES_TB.values()]),
    ]
    head = ("USD a month", *(f"{size}: {tb:g} TB" for size, tb in SIZES_TB.items()))
    return _table(head, [(item, *map(_usd, usd)) for item, usd in rows])


def _levers(of: Resources, balancer: Balancer, prices: Prices) -> str:
    """What each setting saves, against the other value of it, whatever the example has."""
    endpoint = balancer.zones * prices["endpoint_hour"] * HOURS
    nlb = prices["nlb_hour"] * HOURS
    anywhere = replace(balancer, routing="any_availability_zone", cross_zone=True)
    near = replace(anywhere, routing="availability_zone_affinity", cross_zone=False)
    traffic, near_traffic = (per_tb(each, prices)["traffic between zones"] for each in (anywhere, near))
    seldom, hourly = (monthly(replace(of, runs_per_hour=rate), prices)["custom metrics"] for rate in (1 / 4, 1))
    key = prices["kms_key"]
    watched, most_runs = catalogue(of, prices)
    rows = [
        ("one endpoint less in `endpoints.create`", f"{_usd(endpoint)} a month"),
        (
            "no endpoint: with NAT, or `endpoints.existing`",
            f"{_usd(of.endpoint_zones * prices['endpoint_hour'] * HOURS)} a month",
        ),
        ("another `kind`, behind a controller that exists", f"{_usd(nlb)} a month, and the capacity units"),
        ("`proxy.exposure.zone_affinity = true`", f"{_usd(traffic - near_traffic)} a TB"),
        ("`refresh.period_minutes = 240`, not 60", f"{_usd(hourly - seldom)} a month"),
        ("no `page.catalogue`", f"{_usd(watched)} a month, and up to {_usd(most_runs)} for long runs of the watcher"),
        ('no `encryption = "stack"`', f"{_usd(key)} a month; {_usd(3 * key)} after two rotations"),
    ]
    return _table(("setting", "saves, USD"), rows)


def _plain(usd: float) -> str:
    return f"{usd:.10f}".rstrip("0").rstrip(".")


def _usd(value: float) -> str:
    return f"{value:,.2f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def written(document: str) -> str:
    """The document with its tables written anew; its other text stays."""
    listed = tomllib.loads(PRICES.read_text("utf-8"))
    files = sorted(TEMPLATES.glob("*.template.json"))
    examples = {path.name.split(".")[0]: resources(json.loads(path.read_text("utf-8"))) for path in files}
    before, rest = document.split(_BEGIN, 1)
    generated = "\n\n".join(tables(examples, listed))
    return f"{before}{_BEGIN}\n\n{generated}\n\n{_END}{rest.split(_END, 1)[1]}"


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text("utf-8")), encoding="utf-8")
