"""Labels, annotations, tolerations and the like: refused at once where Kubernetes would refuse the object."""

import re

import pytest

from lambda_fn.contract.objects import chart_labels, lambda_labels
from lambda_fn.settings import Settings, parse_toml
from tests.unit.settings.files import SMALLEST, mistakes

LONGEST_VALUE = "a" * 63
LONGEST_PREFIX = ".".join(["a" * 50] * 4 + ["b" * 49])


def text(line: str) -> str:
    return SMALLEST.replace("[proxy]\n", f"[proxy]\n{line}\n")


def parsed(line: str) -> Settings:
    return parse_toml(text(line), "my.toml")


def refusal(line: str) -> str:
    (mistake,) = mistakes(text(line))
    return mistake


@pytest.mark.parametrize("table", ["labels", "annotations", "scheduling.node_selector"])
@pytest.mark.parametrize(
    "name",
    [
        "",
        "a b",
        "-a",
        "a-",
        "a" * 64,
        "a/b/c",
        "/a",
        "a/",
        "-x.example/a",
        "x..example/a",
        "Example.net/a",
        f"{LONGEST_PREFIX}c/a",
        "é",
    ],
)
def test_a_name_that_kubernetes_refuses_is_refused(table: str, name: str) -> None:
    found = refusal(f'{table} = {{ "{name}" = "x" }}')
    assert found.startswith(f"proxy.{table}.{name} = ")
    assert re.search(r": must be (the name of a label or annotation|a label's or taint's name), like ", found)


@pytest.mark.parametrize("table", ["labels", "annotations", "scheduling.node_selector"])
@pytest.mark.parametrize("name", ["a", "a" * 63, "A_b.c-d", "example.net/Team", f"{LONGEST_PREFIX}/a", "1"])
def test_a_name_of_kubernetes_is_accepted(table: str, name: str) -> None:
    assert len(LONGEST_PREFIX) == 253
    assert parsed(f'{table} = {{ "{name}" = "x" }}')


@pytest.mark.parametrize("table", ["labels", "scheduling.node_selector"])
@pytest.mark.parametrize("value", ["_a", "a.", "a b", "a/b", "a" * 64, "é", "a\\n"])
def test_a_value_that_kubernetes_refuses_is_refused(table: str, value: str) -> None:
    found = refusal(f'{table} = {{ a = "{value}" }}')
    assert found.startswith(f"proxy.{table}.a = ")
    assert ": must be at most 63 letters, digits, - _ and . that start and end with a letter or digit" in found


@pytest.mark.parametrize("table", ["labels", "scheduling.node_selector"])
@pytest.mark.parametrize("value", ["", "a", LONGEST_VALUE, "A_b.c-d"])
def test_a_value_of_kubernetes_is_accepted(table: str, value: str) -> None:
    assert parsed(f'{table} = {{ a = "{value}" }}')


OWN = sorted({*chart_labels("x"), *lambda_labels("x")})


@pytest.mark.parametrize("table", ["labels", "annotations"])
@pytest.mark.parametrize(
    "name",
    [
        *OWN,
        "pod-template-hash",
        "ecr-frontdoor/config-sha256",
        "prometheus.io/scrape",
        "pod-security.kubernetes.io/enforce",
        "elbv2.k8s.aws/pod-readiness-gate-inject",
        "eks.amazonaws.com/pod-readiness-gate-inject",
        "alb.ingress.kubernetes.io/scheme",
        "service.beta.kubernetes.io/aws-load-balancer-scheme",
        "kubectl.kubernetes.io/last-applied-configuration",
        "kubernetes.io/metadata.name",
        "gateway.networking.k8s.io/x",
    ],
)
def test_a_name_by_which_something_decides_is_refused(table: str, name: str) -> None:
    found = refusal(f'{table} = {{ "{name}" = "x" }}')
    assert found.startswith(
        f'proxy.{table}.{name} = "{name}": must be a name that ecr-frontdoor and controllers do not'
    )


@pytest.mark.parametrize("table", ["labels", "annotations"])
@pytest.mark.parametrize("name", ["app.kubernetes.io/instance", "app.kubernetes.io/version", "notkubernetes.io/a"])
def test_a_name_that_nothing_decides_by_is_accepted(table: str, name: str) -> None:
    assert parsed(f'{table} = {{ "{name}" = "x" }}')


def test_annotations_that_an_object_cannot_hold_are_refused() -> None:
    assert parsed(f'annotations = {{ a = "{"x" * (32 * 1024 - 1)}" }}')
    found = refusal(f'annotations = {{ a = "{"x" * (32 * 1024 - 3)}", b = "é" }}')
    assert found == "proxy: annotations have 32769 bytes: must be at most 32768 together"


@pytest.mark.parametrize(
    ("toleration", "mistake"),
    [
        ('{ value = "x" }', ': key is missing: set it, or operator = "Exists"'),
        ('{ key = "a", operator = "Exists", value = "b" }', ": value = b: must be left out with operator"),
        ('{ key = "a", toleration_seconds = 30 }', ': toleration_seconds = 30: must be left out unless effect = "NoE'),
        ('{ key = "a", effect = "NoSchedule", toleration_seconds = 0 }', ": toleration_seconds = 0: must be left out"),
        ('{ key = "a", effect = "NoExecute", toleration_seconds = -1 }', ".toleration_seconds = -1: must be greater"),
        ('{ key = "a b" }', ".key = \"a b\": must be a label's or taint's name"),
        ('{ key = "a", value = "b c" }', '.value = "b c": must be at most 63 letters'),
        ('{ key = "a", effect = "NoRun" }', ".effect = \"NoRun\": must be 'NoSchedule', 'PreferNoSchedule' or"),
        ('{ key = "a", operator = "Gt" }', ".operator = \"Gt\": must be 'Equal' or 'Exists'"),
        ('{ key = "a", seconds = 1 }', ".seconds is not a known setting: must be one of effect, key, operator"),
    ],
)
def test_a_toleration_that_kubernetes_refuses_is_refused(toleration: str, mistake: str) -> None:
    assert refusal(f"scheduling.tolerations = [{toleration}]").startswith(f"proxy.scheduling.tolerations[0]{mistake}")


@pytest.mark.parametrize(
    "toleration",
    [
        '{ operator = "Exists" }',
        '{ key = "a" }',
        '{ key = "example.net/a", value = "b", effect = "PreferNoSchedule" }',
        '{ key = "a", operator = "Exists", effect = "NoExecute", toleration_seconds = 0 }',
    ],
)
def test_a_toleration_of_kubernetes_is_accepted(toleration: str) -> None:
    assert parsed(f"scheduling.tolerations = [{toleration}]")


def test_another_operating_system_is_refused() -> None:
    found = refusal('scheduling.node_selector = { "kubernetes.io/os" = "windows" }')
    assert found.startswith("proxy.scheduling: node_selector.kubernetes.io/os = windows: must be linux")


@pytest.mark.parametrize("name", ["", "High", "high_priority", "a..b", "a" * 254])
def test_what_is_no_name_of_a_priority_class_is_refused(name: str) -> None:
    assert refusal(f'scheduling.priority_class = "{name}"').startswith("proxy.scheduling.priority_class = ")


def test_a_pull_policy_that_only_works_with_a_loaded_image_is_refused() -> None:
    found = refusal('image_pull_policy = "Never"')
    assert found == "proxy.image_pull_policy = \"Never\": must be 'Always' or 'IfNotPresent'"


def test_pods_without_metrics_are_not_scraped() -> None:
    found = refusal('scrape = "servicemonitor"')
    assert "Fix: set monitoring_namespace" in found
    assert parsed('scrape = "servicemonitor"\nmonitoring_namespace = "monitoring"').proxy.scrape == "servicemonitor"
