"""The reference and the editors' schema are generated, and the schema refuses what the models refuse."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cli.reference import written
from k8s_manifests.configuration import template
from lambda_fn.job import configuration
from lambda_fn.settings import Settings, parse_toml
from tests.unit.settings.files import SMALLEST, with_line

ROOT = Path(__file__).parents[3]
CONFIGURATION = ROOT / "docs" / "configuration.md"
SCHEMA = json.loads((ROOT / "docs" / "frontdoor.schema.json").read_text(encoding="utf-8"))
EXPECTED = written(CONFIGURATION.read_text(encoding="utf-8"))
LARGEST_LAYER_MIB, LAYER_OF_5_GB_MIB = 37, 4
"""What njs counts for a pull of 52,000 MiB, and for one of 5 GB: k8s_manifests/nginx/njs/large_pulls.js."""
EXAMPLES = sorted((ROOT / "examples").glob("*.toml"))


def refused(raw: dict[str, Any]) -> bool:
    return not jsonschema.Draft202012Validator(SCHEMA).is_valid(raw)


@pytest.mark.parametrize("path", EXPECTED, ids=lambda path: path.name)
def test_the_generated_reference_is_current(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == EXPECTED[path], "run `python -m cli.reference`"


@pytest.mark.parametrize("document", [CONFIGURATION, ROOT / "README.md"], ids=lambda path: path.name)
def test_the_documents_say_how_many_large_layers_a_pod_sends(document: Path) -> None:
    memory_mib = parse_toml(SMALLEST, "my.toml").proxy.memory.large_pulls_mib
    (found,) = re.findall(r"[^.|]* of ECR's\s+largest at once[^.]*", document.read_text(encoding="utf-8"))
    assert numbers(found) >= {memory_mib // LARGEST_LAYER_MIB, memory_mib // LAYER_OF_5_GB_MIB}


def numbers(text: str) -> set[int]:
    return {int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", text)}


@pytest.mark.parametrize("line", ["", "ecr_requests_per_second = 30"], ids=["by default", "with the smallest budget"])
def test_the_reference_has_the_longest_wait_of_the_configuration(line: str) -> None:
    settings = parse_toml(with_line("[proxy]", line), "my.toml")
    rendered = configuration.rendered(
        settings, ("123456789012.dkr.ecr.eu-west-1.amazonaws.com",), "10.0.0.10", template()
    )
    front = rendered[rendered.index("server_name front ") :]
    read_timeout = re.search(r"proxy_read_timeout (\d+)s;", front)
    assert read_timeout
    assert f"{int(read_timeout[1]) - 10} seconds" in CONFIGURATION.read_text(encoding="utf-8")


@pytest.mark.parametrize(("rule", "zone"), [("R73", "shares"), ("R79", "parts")])
def test_the_rules_have_how_many_requests_wait(rule: str, zone: str) -> None:
    reference = (ROOT / "tests" / "template" / "reference" / "nlb.nginx.conf").read_text(encoding="utf-8")
    limits = set(re.findall(rf"limit_req zone={zone} burst=(\d+) delay=(\d+);", reference))
    document = (ROOT / "docs" / "request-handling.md").read_text(encoding="utf-8")
    (text,) = re.findall(rf"^\* \*\*{rule}\*\* (.*(?:\n  .*)*)", document, re.MULTILINE)
    ((burst, delay),) = limits
    assert int(burst) - int(delay) in numbers(text)


def test_every_field_has_a_meaning() -> None:
    schema = Settings.model_json_schema()
    tables = {"Settings": schema, **schema["$defs"]}
    fields = [(name, key, field) for name, table in tables.items() for key, field in table["properties"].items()]
    assert [(name, key) for name, key, field in fields if not field.get("description")] == []


def test_every_key_and_its_default_are_in_the_reference() -> None:
    text = CONFIGURATION.read_text(encoding="utf-8")
    assert "| `replicas` | `2` |" in text
    assert "| `storage_class` | not set |" in text
    assert "| `domain` | required |" in text
    assert "| `timeouts` | all defaults |" in text
    assert '### `[proxy.exposure]` with `kind = "nlb"`' in text


@pytest.mark.parametrize("path", [ROOT / "frontdoor.toml", *EXAMPLES], ids=lambda path: path.name)
def test_the_schema_accepts_a_file_that_the_models_accept(path: Path) -> None:
    assert not refused(tomllib.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ("", "domain = 'NOT A HOST'"),
        ("", "domain = '10.0.0.1'"),
        ("", "encryption = 'kms'"),
        ("", "canary = { repository = 'Team/a', reference = 'x' }"),
        ("", "alarms = { emails = ['on-call'] }"),
        ("[cluster]", "region = 'mars'"),
        ("[cluster]", "namespace = 'kube-system'"),
        ("[cluster]", "vpc_id = 'mine'"),
        ("[[registries]]", "account = '1'"),
        ("[[registries]]", "endpoint = 'ecr.example.net'"),
        ("[proxy]", "client_cidrs = ['0.0.0.0/0']"),
        ("[proxy]", "client_cidrs = ['52.0.0.0/7']"),
        ("[proxy]", "client_cidrs = ['::/0']"),
        ("[proxy]", "client_cidrs = ['2600::/12']"),
        ("[proxy]", "client_cidrs = ['10.0.0.1']"),
        ("[proxy]", "replicas = 1"),
        ("[proxy]", "image = 'nginx latest'"),
        ("[proxy]", "resolver = 'kube-dns'"),
        ("[proxy]", "unknown = 1"),
    ],
)
def test_the_schema_refuses_a_wrong_value(table: str, line: str) -> None:
    assert refused(tomllib.loads(with_line(table, line)))


@pytest.mark.parametrize("cidr", ["11.0.0.0/8", "fd00::/8", "fc00::/7", "2600:1f00::/24", "10.0.0.1/32"])
def test_the_schema_accepts_the_client_ranges_that_the_models_accept(cidr: str) -> None:
    assert not refused(tomllib.loads(with_line("[proxy]", f"client_cidrs = ['{cidr}']")))


def test_the_examples_of_the_schema_match_their_patterns() -> None:
    found: list[tuple[str, str]] = []

    def walk(node: Any) -> None:  # noqa: ANN401 - any JSON
        if isinstance(node, dict):
            if "pattern" in node:
                found.extend((node["pattern"], example) for example in node.get("examples", ()))
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(SCHEMA)
    wrong = [(p, e) for p, e in found if not jsonschema.Draft202012Validator({"pattern": p}).is_valid(e)]
    assert len(found) > 20
    assert [(p, e) for p, e in wrong if "<" not in e] == []


def test_the_smallest_file_is_valid() -> None:
    assert not refused(tomllib.loads(SMALLEST))
