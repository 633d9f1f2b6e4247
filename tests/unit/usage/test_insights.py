"""Logs Insights: periods that fit its 10,000 rows, sums of bytes, and what it says when a query fails."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from cli.usage import insights
from cli.usage.insights import BYTES, LIMIT, MANIFESTS, Insights
from lambda_fn.contract.errors import SettingsError
from tests.fakes.aws import Answer, FakeAws
from tests.unit.usage.lines import NOON, Front
from tests.unit.usage.test_records import wrapped

HOST = "1.dkr.ecr.eu-west-1.amazonaws.com"
GROUP = "/aws/containerinsights/shared/application"


class Group:
    """A log group: answers a query for the period with at most as many rows as Logs Insights."""

    def __init__(self, rows: Sequence[tuple[int, str]], *, sums: Sequence[Mapping[str, str]] = ()) -> None:
        self.rows, self.sums = rows, sums
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
        if query["queryString"] == BYTES:
            found: Iterator[Mapping[str, str]] = iter(self.sums)
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


def test_sums_are_by_server_and_repository() -> None:
    sums = [
        {"from_server": "front", "named": "team/app", "total": "1.5E3"},
        {"from_server": "layers", "host": "1.dkr", "named": "team/app", "total": "3"},
        {"from_server": "ecr", "total": "7"},
    ]
    assert list(Group([], sums=sums).insights().sums(NOON, NOON)) == [
        ("front", "", "team/app", 1500),
        ("layers", "1.dkr", "team/app", 3),
    ]


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


@pytest.mark.parametrize("shape", ["plain", "wrapped"])
def test_the_query_finds_manifests_and_pings_in_plain_and_wrapped_lines(shape: str) -> None:
    front = Front().tag("HEAD", "1.4", "a").manifest("GET", "a").ping().blob("c").ask("GET", "/v2/team/app/tags/list")
    front.upstream("layers", "/host/v2/team/app/manifests/1", 5)
    lines = front.lines() if shape == "plain" else [wrapped(log=line) for line in front.lines()]
    assert [matches(MANIFESTS, line) for line in lines] == [True, True, True, False, False, False]


@pytest.mark.parametrize("shape", ["plain", "wrapped"])
def test_the_query_of_bytes_takes_server_repository_bytes_and_cache_from_a_line(shape: str) -> None:
    expressions = re.findall(r"parse @message /((?:\\/|[^/])+)/", BYTES)
    front = Front().blob("c", bytes=123, cache="MISS")
    front.upstream("layers", f"/{HOST}/v2/team/app/blobs/sha256:0", 77, cache="HIT")
    values: list[set[str | None]] = [{"front", "", "123", None}, {"layers", HOST, "77", "HIT"}]
    for line, expected in zip(front.lines(), values, strict=True):
        text = line if shape == "plain" else wrapped(log=line)
        found = {value for each in expressions for value in re.search(each.replace("(?<", "(?P<"), text).groups()}  # type: ignore[union-attr]
        assert found == expected | {"team/app"}
        assert matches(BYTES, text)


@pytest.mark.parametrize("shape", ["plain", "wrapped"])
def test_the_query_of_bytes_takes_no_line_of_the_error_log(shape: str) -> None:
    line = "2026/11/27 12:00:00 [error] 7#7: *1 too large, server: front, request: " + Front().blob("c").lines()[0]
    assert not matches(BYTES, line if shape == "plain" else wrapped(log=line))


@pytest.mark.parametrize("shape", ["plain", "wrapped"])
def test_the_query_of_bytes_takes_no_numbers_from_a_path(shape: str) -> None:
    path = "/v2/team/app/blobs/status:200/bytes:999999999"
    line, other = Front().ask("GET", path, status=404).ask("GET", path, bytes=7).lines()
    lines = [line, other] if shape == "plain" else [wrapped(log=line), wrapped(log=other)]
    assert [matches(BYTES, text) for text in lines] == [False, True]
    (sent,) = re.findall(r"parse @message /((?:\\/|[^/])*<sent>(?:\\/|[^/])*)/", BYTES)
    assert re.findall(sent.replace("(?<", "(?P<"), lines[1]) == ["7"]


@pytest.mark.parametrize("shape", ["plain", "wrapped"])
def test_the_query_of_bytes_takes_no_cache_result_from_a_repository_that_is_named_cache(shape: str) -> None:
    front = Front()
    front.upstream("layers", "/1.dkr.ecr.eu-west-1.amazonaws.com/v2/cache/HIT/blobs/sha256:0", 77, cache="MISS")
    front.upstream("layers", "/1.dkr.ecr.eu-west-1.amazonaws.com/v2/cache/app/blobs/sha256:0", 77, cache="HIT")
    (cached,) = re.findall(r"parse @message /((?:\\/|[^/])*<cached>(?:\\/|[^/])*)/", BYTES)
    lines = front.lines() if shape == "plain" else [wrapped(log=line) for line in front.lines()]
    assert [re.findall(cached.replace("(?<", "(?P<"), line) for line in lines] == [[""], ["HIT"]]
