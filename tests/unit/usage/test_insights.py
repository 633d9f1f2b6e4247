"""Logs Insights: periods that fit its 10,000 rows, sums of bytes, and what it says when a query fails."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from cli.usage import insights
from cli.usage.insights import FETCHED, LAYERS, LIMIT, MANIFESTS, SENT, Insights
from cli.usage.layers import Taken
from lambda_fn.contract.errors import SettingsError
from tests.fakes.aws import Answer, FakeAws
from tests.unit.usage.lines import NOON, Front, digest
from tests.unit.usage.test_records import wrapped

HOST = "1.dkr.ecr.eu-west-1.amazonaws.com"
GROUP = "/aws/containerinsights/shared/application"


class Group:
    """A log group: answers a query for the period with at most as many rows as Logs Insights."""

    def __init__(
        self, rows: Sequence[tuple[int, str]], *, sums: Mapping[str, Sequence[Mapping[str, str]]] | None = None
    ) -> None:
        self.rows, self.sums = rows, {SENT: (), FETCHED: (), LAYERS: ()} | dict(sums or {})
        self.looks = 0
        self.queried: list[Mapping[str, Any]] = []
        self.aws = FakeAws(self.answers())

    def answers(self) -> dict[str, Answer]:
        described = {
            "logGroups": [{"logGroupName": f"{GROUP}-2"}, {"logGroupName": GROUP, "creationTime": int(1000 * NOON)}]
        }
        return {"DescribeLogGroups": described, "StartQuery": self._start, "GetQueryResults": self._results}

    def _start(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        self.queried.append(parameters)
        return {"queryId": str(len(self.queried))}

    def _results(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        self.looks += 1
        query = self.queried[int(parameters["queryId"]) - 1]
        if self.looks % 2:
            return {"status": "Running", "results": []}
        if query["queryString"] in self.sums:
            found: Iterator[Mapping[str, str]] = iter(self.sums[query["queryString"]])
        else:
            assert query["queryString"] == MANIFESTS
            period = range(query["startTime"], query["endTime"] + 1)
            found = ({"@message": text, "@ptr": "x"} for at, text in self.rows if at in period)
        rows = [[{"field": name, "value": value} for name, value in row.items()] for row in found]
        return {"status": "Complete", "results": rows[: query["limit"]]}

    def insights(self) -> Insights:
        return Insights(self.aws.client("logs"), GROUP, sleep=lambda _: None)


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> int:
    """A hundredth of the real one, so that the test is quick."""
    monkeypatch.setattr(insights, "LIMIT", LIMIT // 100)
    return insights.LIMIT


def test_every_record_is_fetched_once_however_many_there_are(limit: int) -> None:
    line = Front().tag("GET", "1", "a").lines()[0]
    rows = [(int(NOON) + number // 80, line) for number in range(3 * limit)] + [(int(NOON) + 90_000, line)]
    group = Group(rows)
    asked = group.insights()
    assert sum(1 for _ in asked.manifests(NOON, NOON + 90_000)) == 3 * limit + 1
    assert asked.cut_off_seconds == []
    assert all(query["endTime"] >= query["startTime"] for query in group.queried)
    assert len(group.queried) < 60


def test_a_second_with_more_rows_than_an_answer_is_noted(limit: int) -> None:
    line = Front().tag("GET", "1", "a").lines()[0]
    asked = Group([(int(NOON) + 3, line)] * (limit + 5)).insights()
    assert sum(1 for _ in asked.manifests(NOON, NOON + 10)) == limit
    assert asked.cut_off_seconds == [int(NOON) + 3]


def test_sums_are_by_host_and_repository() -> None:
    sums = {
        SENT: [{"named": "team/app", "total": "1.5E3"}, {"total": "7"}],
        FETCHED: [{"host": "1.dkr", "named": "team/app", "total": "3"}, {"total": "7"}],
    }
    assert list(Group([], sums=sums).insights().sums(NOON, NOON)) == [
        ("", "team/app", 1500),
        ("1.dkr", "team/app", 3),
    ]


def test_layers_are_summed_by_repository_and_client_of_each_period() -> None:
    row = {"named": "team/app", "address": "10.1.0.7", "total": "1.5E3", "last": "1.795780801234E9"}
    rows = [row, *({name: value for name, value in row.items() if name != left_out} for left_out in row)]
    rows.append(row | {"last": "9.99e18"})
    group = Group([], sums={LAYERS: rows})
    taken = Taken(NOON + 1.234, 1500)
    assert list(group.insights().layers(NOON, NOON)) == [
        ("team/app", "10.1.0.7", taken),
        ("team/app", "10.1.0.7", Taken(taken.last_at, 0)),
    ]
    assert len(list(group.insights().layers(NOON, NOON + 86_400))) == 2 * 5
    assert {query["queryString"] for query in group.queried} == {LAYERS}


def test_the_group_has_lines_since_its_creation_and_within_its_retention() -> None:
    group = Group([])
    assert group.insights().begins_at(NOON - 50, NOON + 50) == NOON
    assert group.insights().begins_at(NOON + 20, NOON + 50) == NOON + 20
    group.aws.answers["DescribeLogGroups"] = {
        "logGroups": [{"logGroupName": GROUP, "creationTime": 0, "retentionInDays": 1}]
    }
    assert group.insights().begins_at(NOON - 999_999, NOON) == NOON - 86_400


def test_an_unknown_group_and_a_failed_query_are_errors_with_a_fix() -> None:
    group = Group([])
    group.aws.answers |= {
        "DescribeLogGroups": {"logGroups": []},
        "GetQueryResults": {"status": "Timeout", "results": []},
    }
    with pytest.raises(SettingsError, match=rf"there is no log group {GROUP} in ap-southeast-2\. Fix"):
        group.insights().begins_at(NOON, NOON)
    with pytest.raises(SettingsError, match=r"is Timeout\. Fix: choose a shorter --since"):
        list(group.insights().manifests(NOON, NOON))


def conditions(query: str) -> list[list[tuple[bool, bool, re.Pattern[str]]]]:
    """The regular expressions of each `filter` line: each line has to hold, by one of them where it has `or`."""
    return [
        [
            ("or" in line.split(), not negated, re.compile(found))
            for negated, found in re.findall(r"(not )?like /((?:\\/|[^/])+)/", line)
        ]
        for line in query.splitlines()
        if "filter @message" in line
    ]


def matches(query: str, line: str) -> bool:
    return all(
        (any if any(is_or for is_or, _, _ in row) else all)(bool(found.search(line)) is like for _, like, found in row)
        for row in conditions(query)
    )


Lines = Callable[[Front], list[str]]


@pytest.fixture(params=["plain", "wrapped"])
def shipped(request: pytest.FixtureRequest) -> Lines:
    """Lines as they are, or as text inside of JSON."""
    if request.param == "plain":
        return Front.lines
    return lambda front: [wrapped(log=line) for line in front.lines()]


def parsed(query: str, line: str) -> dict[str, str | None]:
    """What the expressions of a query find in a line."""
    found: dict[str, str | None] = {}
    for each in re.findall(r"parse @message /((?:\\/|[^/])+)/", query):
        if one := re.search(each.replace("(?<", "(?P<"), line):
            found |= one.groupdict()
    return found


def test_the_query_finds_manifests_and_pings_in_plain_and_wrapped_lines(shipped: Lines) -> None:
    front = Front().tag("HEAD", "1.4", "a").manifest("GET", "a").ping().ask("GET", "/docker-hub/v2/")
    front.tag("GET", "1.4", "a", path="/v2/team/app/%6danifests/1.4").manifest("GET", "a", path="/./" * 300)
    front.blob("c").ask("GET", "/v2/team/app/tags/list", repository="team/app").ask("GET", "/")
    front.upstream("layers", "/host/v2/team/app/manifests/1", 5)
    assert [matches(MANIFESTS, line) for line in shipped(front)] == [True] * 6 + [False] * 4


def test_bytes_to_clients_are_those_of_the_repository_that_nginx_served(shipped: Lines) -> None:
    """Its name in the path is another one at a mirror, and nothing where dots come after it."""
    blob = f"v2/library/nginx/blobs/{digest('c')}"
    for path in (f"/docker-hub/{blob}", f"/{blob}", f"/a/b/{blob}", f"/v2/other/app/blobs/../../../{blob}"):
        (line,) = shipped(Front().blob("c", repository="docker-hub/library/nginx", path=path, bytes=123))
        assert matches(SENT, line)
        assert not matches(FETCHED, line)
        assert parsed(SENT, line) == {"named": "docker-hub/library/nginx", "number": "123"}


def test_a_number_of_another_program_that_no_answer_has_is_in_no_sum(shipped: Lines) -> None:
    front = Front().blob("c", bytes=10**400).upstream("layers", f"/{HOST}/v2/team/app/blobs/sha256:0", 10**400)
    for line, query in zip(shipped(front), (SENT, FETCHED), strict=True):
        assert "number" not in parsed(query, line)


@pytest.mark.parametrize("way", ["", "/-/part", "/-/import"])
@pytest.mark.parametrize("asked", ["blobs/sha256:0", "manifests/1", "tags/list", "referrers/sha256:0"])
def test_bytes_from_upstreams_are_by_host_and_name_there(shipped: Lines, way: str, asked: str) -> None:
    front = Front().upstream("layers", f"{way}/{HOST}/v2/team/v2/app/{asked}", 77, cache="HIT")
    front.upstream("ecr", f"{way}/{HOST}/v2/team/v2/app/{asked}", 78)
    for line, number, cached in zip(shipped(front), ["77", "78"], ["HIT", None], strict=True):
        assert matches(FETCHED, line)
        assert not matches(SENT, line)
        assert parsed(FETCHED, line) == {"host": HOST, "named": "team/v2/app", "number": number, "cached": cached}


def test_the_query_of_layers_finds_them_and_nothing_else(shipped: Lines) -> None:
    front = Front().blob("c", bytes=123).blob("c", client="fd00::7", status=206).blob("c", status=307)
    front.blob("c", path="/./" * 300).tag("GET", "1", "a").manifest("GET", "a").tag("GET", "1", "a", media_type="")
    front.blob("c", method="HEAD").blob("c", status=404).blob("c", status=304).ping()
    front.ask("GET", "/v2/team/app/tags/list", repository="team/app")
    front.upstream("layers", f"/{HOST}/v2/team/app/blobs/{digest('c')}", 77, digest=digest("c"))
    lines = shipped(front)
    assert [matches(LAYERS, line) for line in lines] == [True] * 4 + [False] * 9
    number = {"named": "team/app", "address": "10.1.0.7", "number": "123", "at": str(front.records[0]["ended_at"])}
    assert parsed(LAYERS, lines[0]) == number
    assert parsed(LAYERS, lines[1])["address"] == "fd00::7"
    assert not matches(LAYERS, "2026/11/27 12:00:00 [error] 7#7: *1 too large, request: " + lines[0])


@pytest.mark.parametrize("instant", ["1795780800.123", "1795780800", "1.795780800123e+09", "1.795780800123e09"])
def test_the_time_of_a_layer_is_read_however_a_collector_writes_the_number(instant: str) -> None:
    line = Front().blob("c").lines()[0]
    written = re.sub(r"(?<=\"ended_at\":)[^,]+", instant, line)
    assert written != line
    found = parsed(LAYERS, written)["at"]
    assert found == instant
    assert float(found) == pytest.approx(NOON, abs=1)


def test_requests_without_a_repository_have_no_name(shipped: Lines) -> None:
    front = Front().ping().upstream("ecr", f"/{HOST}/v2/", 2)
    for line, query in zip(shipped(front), (SENT, FETCHED), strict=True):
        assert "named" not in parsed(query, line)


def test_the_queries_of_bytes_take_no_line_of_the_error_log(shipped: Lines) -> None:
    front = Front().blob("c").upstream("layers", f"/{HOST}/v2/team/app/blobs/sha256:0", 77)
    for line, query in zip(shipped(front), (SENT, FETCHED), strict=True):
        assert matches(query, line)
        assert not matches(query, "2026/11/27 12:00:00 [error] 7#7: *1 too large, server: front, request: " + line)


@pytest.mark.parametrize("is_sorted", [False, True])
@pytest.mark.parametrize("begin", ["", "2026/11/27 12:00:00 [error] 7#7: *1 "])
def test_the_queries_take_no_field_from_what_a_client_sends(shipped: Lines, begin: str, *, is_sorted: bool) -> None:
    text = "server:layers/server=front/status:200/bytes:999999999/tag:1/repository:evil/cache:HIT/"
    agent = {"user_agent": begin + text}
    front = Front().blob("c", path=f"/{text}", **agent, bytes=7).blob("c", path=f"/{text}", status=404)
    front.ask("GET", f"/{text}", **agent)
    front.upstream("layers", f"/{HOST}/v2/team/app/blobs/{digest('c')}", 77, **agent)
    front.records = [dict(sorted(record.items())) if is_sorted else record for record in front.records]
    served, refused, other, fetched = shipped(front)
    assert [matches(SENT, served), matches(FETCHED, fetched)] == [True, True]
    assert parsed(SENT, served) == {"named": "team/app", "number": "7"}
    assert [matches(SENT, refused), matches(MANIFESTS, other)] == [False, False]
    assert not any(matches(FETCHED, line) for line in (served, refused, other))
    assert [matches(LAYERS, line) for line in (served, refused, other)] == [True, False, False]
    assert parsed(LAYERS, served)["named"] == "team/app"


def test_the_query_of_bytes_takes_no_cache_result_from_a_repository_that_is_named_cache(shipped: Lines) -> None:
    front = Front()
    front.upstream("layers", f"/{HOST}/v2/cache/HIT/blobs/sha256:0", 77, cache="MISS")
    front.upstream("layers", f"/{HOST}/v2/cache/app/blobs/sha256:0", 77, cache="HIT")
    assert [parsed(FETCHED, line)["cached"] for line in shipped(front)] == [None, "HIT"]
