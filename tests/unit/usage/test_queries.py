"""The queries of docs/queries, in a real engine: they find what `frontdoor usage` finds.

Athena runs Trino's SQL. sqlglot parses it as that, and translates it for DuckDB, which runs it.
"""

import json
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from cli.usage.insights import FETCHED, LAYERS, SENT
from cli.usage.tally import Tally
from tests.unit.usage.lines import INDEX, NOON, Front, digest
from tests.unit.usage.test_pulls import chain

QUERIES = Path(__file__).parents[3] / "docs" / "queries"
SCHEMA = Path(__file__).parents[3] / "docs" / "access-log.md"
S3 = f"/1.dkr.ecr.eu-west-1.amazonaws.com/v2/team/app/blobs/{digest('c')}"


@pytest.fixture(scope="module")
def front() -> Front:
    front = chain(chain(Front()).wait(60)).wait(60).manifest("HEAD", "a", INDEX).manifest("GET", "a", INDEX)
    front.manifest("GET", "b").tag("HEAD", "1.3", "e", client="10.1.0.9").tag("GET", "2", "f", repository="base")
    front.tag("GET", "1.2", "e", status=304, client="10.1.0.9", media_type="")
    front.ask("GET", f"/v2/team/app/referrers/{digest('a')}", repository="team/app", media_type=INDEX)
    front.tag("GET", "gone", "f", status=404, media_type="").ping().blob("c", status=503)
    front.blob("c", client="10.1.0.66").blob("d", client="10.1.0.66", status=206)
    front.tag("GET", "gone", "f", status=404, media_type="", client="10.1.0.66").blob(
        "d", status=404, client="10.1.0.8"
    )
    front.blob("c", client="fd00::66", repository="base", status=307).blob("c", client="10.1.0.8", method="HEAD")
    front.upstream("layers", S3, 4000).upstream("layers", f"/-/part{S3}", 5, cache="HIT").upstream(
        "layers", S3, 9, status=503
    )
    return front.upstream("ecr", S3.replace("blobs", "manifests"), 500, status=200).upstream("ecr", S3, 0, status=307)


@pytest.fixture(scope="module")
def tally(front: Front) -> Tally:
    made = Tally()
    made.add_all(front.records)
    return made


@pytest.fixture(scope="module")
def table(front: Front, tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """The table of `athena-table.sql`, over a file as a pod writes it."""
    file = tmp_path_factory.mktemp("log") / "access.log"
    file.write_text("".join(front.lines()))
    engine = duckdb.connect()
    columns = {name: type_ for name, type_ in columns_of_the_table().items() if name != "day"}
    struct = ", ".join(f"'{name}': '{type_}'" for name, type_ in columns.items())
    engine.execute(
        f"CREATE TABLE frontdoor_access_log AS SELECT *, '2026/11/27' AS day "  # noqa: S608 - our own
        f"FROM read_json('{file}', format = 'newline_delimited', columns = {{{struct}}})"
    )
    return engine


def columns_of_the_table() -> dict[str, str]:
    created = sqlglot.parse_one((QUERIES / "athena-table.sql").read_text("utf-8"), read="athena")
    assert isinstance(created, exp.Create)
    found = {column.name: column.args["kind"].sql("duckdb") for column in created.this.expressions}
    assert re.search(r"PARTITIONED BY \(day string\)", (QUERIES / "athena-table.sql").read_text("utf-8"))
    return found


def rows(table: duckdb.DuckDBPyConnection, name: str) -> list[dict[str, Any]]:
    (statement,) = sqlglot.transpile((QUERIES / name).read_text("utf-8"), read="trino", write="duckdb")
    found = table.execute(statement)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def test_the_table_has_the_fields_of_the_schema_in_its_order(front: Front) -> None:
    documented = re.findall(
        r"`(\w+)`", "\n".join(re.findall(r"^\| (`.*?) \|", SCHEMA.read_text("utf-8"), re.MULTILINE))
    )
    assert [name for name in columns_of_the_table() if name != "day"] == documented == list(front.records[0])


def test_the_query_of_tags_counts_as_the_command_does(table: duckdb.DuckDBPyConnection, tally: Tally) -> None:
    found = {(row["repository"], row["tag"]): row for row in rows(table, "athena-tags.sql")}
    expected: dict[tuple[str, str], list[int]] = {}
    for name, repository in tally.repositories.items():
        for tag, use in [*repository.tags.items(), *(("", each) for each in repository.digests.values())]:
            sums = expected.setdefault((name, tag), [0, 0])
            sums[0], sums[1] = sums[0] + use.pulls, sums[1] + use.checks
    assert {name: [row["pulls"], row["checks"]] for name, row in found.items()} == expected
    assert expected == {
        ("team/app", "1.4"): [2, 0],
        ("team/app", ""): [1, 0],
        ("team/app", "1.3"): [0, 1],
        ("team/app", "1.2"): [0, 1],
        ("base", "2"): [1, 0],
    }
    assert found["team/app", "1.3"]["last_client"] == "10.1.0.9"
    assert found["team/app", "1.4"]["last_used_at"].timestamp() == pytest.approx(NOON + 61, abs=1)


def test_the_query_of_bytes_counts_as_the_command_does(table: duckdb.DuckDBPyConnection, tally: Tally) -> None:
    found = {row["repository"]: (row["sent_bytes"], row["fetched_bytes"]) for row in rows(table, "athena-bytes.sql")}
    assert found == {name: (each.sent_bytes, each.fetched_bytes) for name, each in tally.repositories.items()}
    assert found["team/app"][1] == 4500


def test_the_query_of_layers_finds_the_clients_that_the_command_finds(
    table: duckdb.DuckDBPyConnection, tally: Tally
) -> None:
    found = {
        (row["repository"], row["client"]): (row["sent_bytes"], row["last_used_at"].timestamp())
        for row in rows(table, "athena-layers.sql")
    }
    assert found == {
        (name, client): (taken.sent_bytes, pytest.approx(taken.last_at, abs=0.01))
        for name, clients in tally.layer_clients.without_manifest().items()
        for client, taken in clients
    }
    assert set(found) == {("team/app", "10.1.0.66"), ("base", "fd00::66")}


def test_the_queries_of_logs_insights_for_bytes_and_layers_are_those_that_the_command_sends() -> None:
    for name, sent in (("bytes-sent", SENT), ("bytes-fetched", FETCHED), ("layers", LAYERS)):
        assert (QUERIES / f"logs-insights-{name}.txt").read_text("utf-8").strip() == sent


def test_the_query_of_logs_insights_for_tags_names_only_fields_of_the_schema(front: Front) -> None:
    text = (QUERIES / "logs-insights-tags.txt").read_text("utf-8")
    named = set(re.findall(r"\b[a-z_]+\b", re.sub(r'"[^"]*"', "", text)))
    language = {
        "filter",
        "and",
        "in",
        "stats",
        "count",
        "as",
        "count_distinct",
        "max",
        "latest",
        "by",
        "sort",
        "desc",
        "limit",
    }
    aliases = set(re.findall(r" as (\w+)", text))
    assert named - language - aliases <= set(front.records[0])
    assert json.loads(front.lines()[0])["server"] in text
