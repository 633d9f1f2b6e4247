"""The documents: what they link to exists, and all together they are short enough to be read."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lambda_fn.contract.errors import FrontdoorError, TemplateError
from lambda_fn.job.catalogue.ports import (
    DeniedError,
    RepositoryGoneError,
    SlowError,
    ThrottledError,
    UnreachableError,
)
from lambda_fn.job.report import ReportedError, RolloutError
from lambda_fn.settings import Settings, parse_toml
from stacks.preflight import conflicts

ROOT = Path(__file__).parents[2]
WORDS = 19_645
"""Of all that is written by hand for operators, developers, reviewers and contributors: an afternoon of reading.

A change that adds a client, an operator's task or a page may raise it by what it adds, at most 1,000: so far real
clients and large layers, deployments on AWS (failures, removal, guard-rails, gateways, costs), and what people see
(page, catalogue, metrics, usage, the command), and registries behind one name (public names, replicas, mirrors,
environments).
"""
NOT_COUNTED = ("docs/decisions/", "CHANGELOG.md", ".github/", "testbed/bench/results/")
"""Records of what was, and forms."""

REFERENCES = (
    "docs/access-log.md",
    "docs/configuration.md",
    "docs/performance.md",
    "docs/permissions.md",
    "docs/rbac.md",
)
"""Of these the tables are looked up and not read: only their prose counts."""

_GENERATED = re.compile(r"<!-- generated.*?-->.*?<!-- end of generated -->", re.DOTALL)
_CODE = re.compile(r"^```.*?^```|^ {4}.*?$|`[^`\n]*`", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


def documents() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "*.md"], check=True, capture_output=True, text=True, cwd=ROOT)  # noqa: S607 - git is where the user has it
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).exists()]


def words(document: Path) -> int:
    """What a reader reads: every token with a letter or digit, so a table's rules do not count."""
    text = _GENERATED.sub("", document.read_text("utf-8"))
    if str(document.relative_to(ROOT)) in REFERENCES:
        text = "\n".join(line for line in text.splitlines() if not line.startswith("|"))
    return sum(bool(re.search(r"\w", token)) for token in text.split())


def anchors(document: Path) -> set[str]:
    """The fragments of a document's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", document.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    plain = (
        re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", found)) for found in _HEADING.findall(text)
    )
    return {heading.strip().lower().replace(" ", "-") for heading in plain}


def broken_links(document: Path) -> Iterator[str]:
    for link in _LINK.findall(_CODE.sub("", document.read_text("utf-8"))):
        path, _, fragment = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        target = (document.parent / path).resolve() if path else document
        if not target.exists():
            yield f"{link}: there is no {path}"
        elif fragment and target.suffix == ".md" and fragment not in anchors(target):
            yield f"{link}: {target.name} has no heading for #{fragment}"


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    assert list(broken_links(document)) == []


def test_the_documents_are_short_enough_to_be_read() -> None:
    counted = {str(path.relative_to(ROOT)): words(path) for path in documents()}
    counted = {name: count for name, count in counted.items() if not name.startswith(NOT_COUNTED)}
    assert sum(counted.values()) <= WORDS, counted


def setting_names(schema: dict[str, Any], table: dict[str, Any], path: str = "") -> Iterator[str]:
    """Every setting behind those of its tables, as the documents name it: `proxy.resources.memory_limit`."""
    for key, field in table.get("properties", {}).items():
        yield f"{path}{key}"
        for model in re.findall(r"'#/\$defs/(\w+)'", str(field)):
            yield from setting_names(schema, schema["$defs"][model], f"{path}{key}.")


def test_every_setting_that_a_document_names_exists() -> None:
    schema = Settings.model_json_schema()
    names = set(setting_names(schema, schema))
    tables = "|".join(sorted({name.partition(".")[0] for name in names if "." in name}))
    named = re.compile(rf"(?<![\w./-])((?:{tables})(?:\.[a-z_]+)+)(?![\w/(*-])")
    found = {
        (str(document.relative_to(ROOT)), name)
        for document in documents()
        if not str(document.relative_to(ROOT)).startswith(NOT_COUNTED)
        for name in named.findall(document.read_text("utf-8"))
        if not name.endswith((".py", ".js"))
    }
    assert len(found) > len(tables.split("|"))
    assert {(document, name) for document, name in found if name not in names} == set()


def settings_examples() -> list[str]:
    """The blocks of settings in exposure.md: tables that an operator adds to a smallest file."""
    text = (ROOT / "docs" / "exposure.md").read_text("utf-8")
    return re.findall(r"^```toml\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(
    "example", settings_examples(), ids=lambda text: tomllib.loads(text)["proxy"]["exposure"]["kind"]
)
def test_every_example_of_an_exposure_is_valid_in_a_cluster_with_a_known_vpc(example: str) -> None:
    vpc = '[cluster]\nvpc_id = "vpc-0a1b2c3d4e5f60718"\nsecurity_group_id = "sg-0a1b2c3d4e5f60718"\n'
    subnets = 'subnet_ids = ["subnet-0a1b2c3d4e5f60718"]\n'
    smallest = (ROOT / "examples" / "smallest.toml").read_text("utf-8").split("[proxy.exposure]")[0]
    text = smallest.replace("[cluster]\n", vpc + subnets) + example
    assert conflicts(parse_toml(text, "docs/exposure.md")) == []


TEMPLATES = ROOT / "k8s_manifests" / "nginx" / "conf"


def messages() -> dict[str, str]:
    """How every text begins that a client can get, by its name in the template."""
    template = (TEMPLATES / "messages.conf.j2").read_text("utf-8")
    texts = re.findall(r"^{% set (\w+) = '(\w[^']+)'", template, flags=re.MULTILINE)
    return {name: re.sub(r"\$\w+", "...", text) for name, text in texts}


def test_every_refusal_has_its_text_where_the_others_are() -> None:
    templates = "".join(path.read_text("utf-8") for path in TEMPLATES.glob("*.j2") if path.name != "messages.conf.j2")
    refusals = re.findall(r"\brefuse\(\d+, '\w+', ([^)]+)\)", templates)
    assert len(refusals) == templates.count("refuse(")
    assert set(refusals) <= set(messages())


def test_the_table_of_errors_begins_each_message_that_a_client_can_get() -> None:
    section = (ROOT / "docs" / "pulling.md").read_text("utf-8").partition("\n## Errors\n")[2]
    cells = [line.split(" | ")[1] for line in section.splitlines() if re.match(r"\| [45]", line)]
    beginnings = {beginning for cell in cells for beginning in cell.split("; ")} - {
        "ECR's own text, with an account number"
    }
    rows = {name: [row for row in beginnings if text.startswith(row)] for name, text in messages().items()}
    assert {name: row for name, row in rows.items() if len(row) != 1} == {}
    assert {row for found in rows.values() for row in found} == beginnings


def subclasses(of: type[FrontdoorError]) -> set[type[FrontdoorError]]:
    """The class and every class below it."""
    return {of}.union(*(subclasses(below) for below in of.__subclasses__()))


def test_the_runbook_explains_every_error_that_an_invocation_can_end_with() -> None:
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    never_raised_itself = {FrontdoorError, ReportedError, RolloutError, TemplateError}
    warnings_of_the_catalogue = {DeniedError, RepositoryGoneError, SlowError, ThrottledError, UnreachableError}
    raised = subclasses(FrontdoorError) - never_raised_itself - warnings_of_the_catalogue
    names = {error.__name__ for error in raised if error.__module__.startswith("lambda_fn.")}
    assert {name for name in names if f"`{name}`" not in text} == set()
