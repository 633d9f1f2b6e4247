"""The models and the editors' schema accept the same values, and no text is a dynamic reference of CloudFormation."""

import json
import re
import tomllib
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Any

import jsonschema
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lambda_fn.contract.errors import SettingsError
from lambda_fn.settings import Settings, parse_toml
from tests.unit.settings.files import SMALLEST, with_line

SCHEMA = Settings.model_json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
INGRESS = "kind = 'ingress'\nclass_name = 'alb'\nannotations = {{ {} }}"
NLB = "kind = 'nlb'\ntls_secret = 'tls'\nsubnets = {{ {} }}"
REFERENCE = "{{resolve:ssm:/x/y}}"


def in_table(table: str, line: str) -> str:
    return with_line(f"[{table}]", line) if f"[{table}]" in SMALLEST else f"{SMALLEST}[{table}]\n{line}\n"


def accepted_by_models(text: str) -> bool:
    try:
        parse_toml(text, "my.toml")
    except SettingsError:
        return False
    return True


def both(text: str) -> tuple[bool, bool]:
    """Whether the models accept it, and whether the schema does."""
    return accepted_by_models(text), VALIDATOR.is_valid(tomllib.loads(text))


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ("refresh", "log_retention_days = true"),
        ("refresh", "log_retention_days = 2"),
        ("refresh", "log_retention_days = '90'"),
        *(
            ("alarms", f'emails = ["on{mark}call@example.net"]')
            for mark in ("\\u001f", "\\u0000", "\\u0085", "\\u00a0")
        ),
        ("alarms", "emails = ['on call@example.net']"),
        ("alarms", "emails = ['on-call@example']"),
        ("alarms", f"emails = ['on-call@{REFERENCE}.net']"),
        ("alarms", f"emails = ['{REFERENCE}@example.net']"),
        ("alarms", f"runbook_url = 'https://git.example.net/{REFERENCE}'"),
        ("cluster", f"namespace = '{'a' * 54}'"),
        ("cluster", f"namespace = '{'a' * 300}'"),
        ("cluster", "namespace = '-a-'"),
        ("cluster", "namespace = 'default'"),
        ("cluster", "namespace = 'kube-public'"),
        ("proxy.exposure", INGRESS.format("'a b' = 'x'")),
        ("proxy.exposure", INGRESS.format("'-a' = 'x'")),
        ("proxy.exposure", INGRESS.format("a = 1")),
        ("proxy.exposure", INGRESS.format(f"a = '{REFERENCE}'")),
        (
            "proxy.exposure",
            INGRESS.format(f"a = 'first\\n{REFERENCE}'").replace("'first", '"first').replace("}}'", '}}"'),
        ),
        ("proxy.exposure", NLB.format("net-1 = '10.1.0.0/24'")),
        ("proxy.exposure", NLB.format("subnet-12345678 = 'fd00::/64'")),
        ("proxy.exposure", NLB.format("subnet-12345678 = '10.1.0.0/33'")),
        ("proxy", "client_cidrs = ['999.0.0.0/8']"),
        ("proxy", "client_cidrs = ['10.0.0.0/33']"),
        ("proxy", "client_cidrs = ['010.0.0.0/8']"),
        ("proxy", "client_cidrs = ['fd0::/12']"),
        ("proxy", "client_cidrs = ['fc0::/10']"),
        ("proxy", "client_cidrs = ['fd::/8']"),
        ("proxy", "client_cidrs = ['fd00::/6']"),
        ("proxy", "client_cidrs = ['fe00::/9']"),
        ("proxy", "client_cidrs = ['fd00::1::/32']"),
        ("proxy", "client_cidrs = ['fd00:::/32']"),
        ("proxy", "client_cidrs = ['2600::/129']"),
        ("proxy", "resolver = '999.1.1.1'"),
        ("proxy", "resolver = '1.1.1'"),
        ("proxy", "resolver = ':::'"),
        ("proxy", "resolver = '10.0.0.1%eth0'"),
        ("proxy", "image = 'example.net/nginx:é'"),
        ("proxy", "labels = { 'a b' = 'x' }"),
        ("proxy", "labels = { 'kubernetes.io/a' = 'x' }"),
        ("proxy", "labels = { 'app.kubernetes.io/name' = 'x' }"),
        ("proxy", "labels = { 'x..y/a' = 'x' }"),
        ("proxy", "labels = { a = 'x y' }"),
        ("proxy", f"annotations = {{ a = '{REFERENCE}' }}"),
        ("proxy", "annotations = { 'alb.ingress.kubernetes.io/scheme' = 'internet-facing' }"),
        ("proxy", "scheduling.node_selector = { a = '-' }"),
        ("proxy", "scheduling.tolerations = [{ key = 'a', effect = 'NoRun' }]"),
        ("proxy", "scheduling.priority_class = 'High'"),
        ("cluster", "endpoint = 'https://10.0.0.1'\ncertificate_authority = '...'"),
        ("canary", "repository = 'team/a'\nreference = 'x'\ncertificate_authority = ['LS0t']"),
    ],
)
def test_both_refuse(table: str, line: str) -> None:
    assert both(in_table(table, line)) == (False, False)


def test_a_number_with_a_point_is_not_a_retention() -> None:
    # JSON has no whole numbers apart from others: a schema cannot refuse 1.0.
    assert not accepted_by_models(in_table("refresh", "log_retention_days = 1.0"))


@pytest.mark.parametrize("contact", [REFERENCE, f"see {REFERENCE}", "{{", "a{{b}}", "x" * 198 + "{{"])
def test_both_refuse_a_contact_with_a_dynamic_reference(contact: str) -> None:
    assert both(f"contact = '{contact}'\n{SMALLEST}") == (False, False)


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ("refresh", "log_retention_days = 1"),
        ("refresh", "log_retention_days = 3653"),
        ("alarms", "emails = ['on-call+ecr.frontdoor@mail.example.net']"),
        ("alarms", "runbook_url = 'https://git.example.net/ops/-/blob/main/docs/operations.md?ref=(a)&b=%20'"),
        ("cluster", f"namespace = '{'a' * 53}'"),
        ("cluster", "namespace = 'default-registry'"),
        ("proxy.exposure", INGRESS.format("'cert-manager.io/cluster-issuer' = 'internal'")),
        (
            "proxy.exposure",
            INGRESS.format("""a = '[{"HTTPS": 443}, {"x": {"y": {}}}]', b = '', c = "two\\nlines ä" """),
        ),
        ("proxy.exposure", NLB.format("subnet-12345678 = '10.1.0.0/24'")),
        ("proxy", "client_cidrs = ['10.0.0.0/8', '255.255.255.255/32', 'fd00:1:2::/48', 'FC00::/7', 'fdff::/16']"),
        ("proxy", "client_cidrs = ['10.0.0.0/8', '2600:1f00::/24', '1:2:3:4:5:6:7:8/128']"),
        ("proxy", "image = 'public.ecr.aws/nginx/nginx:1.30.6_a.b-c'"),
        ("proxy", "labels = { 'example.net/team' = '', 'app.kubernetes.io/version' = '1.0' }"),
        ("proxy", "annotations = { 'example.net/owner' = 'team <a@example.net>' }"),
        ("proxy", "scheduling.node_selector = { 'kubernetes.io/arch' = 'arm64' }"),
        ("proxy", "scheduling.tolerations = [{ operator = 'Exists' }]"),
        ("proxy", "scheduling.priority_class = 'system-cluster-critical'"),
    ],
)
def test_both_accept(table: str, line: str) -> None:
    assert both(in_table(table, line)) == (True, True)


def nodes(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:  # noqa: ANN401 - any JSON
    """Every table of the schema with its place."""
    if isinstance(node, dict):
        yield path, node
    for key, value in node.items() if isinstance(node, dict) else enumerate(node if isinstance(node, list) else ()):
        yield from nodes(value, f"{path}/{key}")


TEXTS = [(path, node) for path, node in nodes(SCHEMA) if node.get("type") == "string"]


def test_no_table_whose_keys_match_a_pattern_has_other_keys() -> None:
    tables = {path: node for path, node in nodes(SCHEMA) if "patternProperties" in node}
    assert len(tables) == 7
    assert [path for path, node in tables.items() if node.get("additionalProperties") is not False] == []


def test_every_text_has_a_pattern_or_a_list_of_values() -> None:
    assert len(TEXTS) > 30
    assert [path for path, node in TEXTS if not node.keys() & {"pattern", "enum", "const"}] == []


def test_no_pattern_has_a_class_that_differs_between_python_and_javascript() -> None:
    patterns = {path: node["pattern"] for path, node in nodes(SCHEMA) if isinstance(node.get("pattern"), str)}
    patterns |= {path: key for path, node in nodes(SCHEMA) for key in node.get("patternProperties", ())}
    assert [path for path, pattern in patterns.items() if re.search(r"\\[dDwWbB]", pattern)] == []
    assert [path for path, pattern in patterns.items() if re.search(r"\\[sS]", pattern.replace(r"[\s\S]", ""))] == []


@pytest.mark.parametrize("before", ["", "a", "a@", "https://a.example/", "https://a.example/b", "arn:aws:sns:"])
@pytest.mark.parametrize("after", ["", "a", ".example.net", "/a", ":1"])
def test_no_text_holds_a_dynamic_reference(before: str, after: str) -> None:
    values = [f"{before}{reference}{after}" for reference in (REFERENCE, "{{resolve:secretsmanager:a:SecretString:b}}")]
    found = [
        (path, value)
        for path, node in TEXTS
        for value in values
        if jsonschema.Draft202012Validator(json.loads(json.dumps(node))).is_valid(value)
    ]
    assert found == []


def valid(check: Any, value: str) -> bool:  # noqa: ANN401 - ip_address or ip_network
    try:
        check(value)
    except ValueError:
        return False
    return True


ADDRESSES = st.one_of(
    st.ip_addresses().map(str), st.from_regex(r"(?:[0-9a-fA-F]{0,5}[:.]){1,8}[0-9a-f]{0,4}", fullmatch=True)
)


@given(address=ADDRESSES)
@example("::ffff:10.0.0.1")
@example("1:2:3:4:5:6:1.2.3.4")
@example("1:2:3:4:5:6:7:1.2.3.4")
@example("1::3:4:5:6:7:8")
@example("1:2:3:4:5:6:7::")
@example("1:2:3:4:5:6:7:8::")
@example("::")
def test_both_agree_with_the_addresses_of_the_standard_library(address: str) -> None:
    (resolver,) = [node for path, node in TEXTS if path.endswith("/Proxy/properties/resolver/anyOf/0")]
    assert jsonschema.Draft202012Validator(resolver).is_valid(address) == valid(ip_address, address)
    assert accepted_by_models(in_table("endpoints", f"client_cidrs = ['{address}/32']")) == (
        valid(ip_network, f"{address}/32")
    )
