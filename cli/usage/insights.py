"""Records from a log group of CloudWatch, by Logs Insights.

A query returns 10,000 rows at most: requests for manifests are fetched for short periods, and bytes are summed there.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Limit.html
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cli.usage.records import Record, records
from lambda_fn.contract.errors import SettingsError

LIMIT = 10_000
"""Rows of an answer."""
_FIRST_PERIOD_SECONDS = 3600
_PAUSE_SECONDS = 1.0
_LONGEST_QUERY_SECONDS = 3600
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html"""

# `\W+` matches what is between a name and its value in a line that is JSON, and in one that is text inside of JSON.
MANIFESTS = rf"""fields @message
| filter @message like /server\W+front\W/
| filter @message like /\/manifests\// or @message like /path\W+v2\/\W+status/
| sort @timestamp asc
| limit {LIMIT}"""
"""The records of requests for manifests, and of pings, which begin pulls."""
BYTES = r"""filter @message like /server\W+(?:front|layers|ecr)\W/ and @message like /status[\\"]+\s*:\s*20[06]\W/
| filter @message not like /[0-9]{4}\/[0-9]{2}\/[0-9]{2} [0-9:]{8} \[/
| parse @message /server\W+(?<from_server>[a-z]+)/
| parse @message /path\W+(?<host>[a-z0-9.-]*?)\/?v2\/(?<named>[^"\\]+)\/(?:manifests|blobs)\//
| parse @message /\Wbytes[\\"]+\s*:\s*(?<sent>[0-9]+)/
| parse @message /\Wcache[\\"]+\s*:[\s\\"]*(?<cached>HIT)?/
| filter from_server = "front" or not ispresent(cached)
| stats sum(sent) as total by from_server, host, named
| limit 10000"""
"""Bytes to clients and from upstreams, by repository. Lines of the error log quote what clients send."""


class Insights:
    """Queries of one log group.

    Args:
        logs: A client of CloudWatch Logs.
        group: The log group's name.
        sleep: Waits between two looks at a query, in seconds.
    """

    def __init__(self, logs: Any, group: str, *, sleep: Callable[[float], object] = time.sleep) -> None:  # noqa: ANN401 - boto3's clients are made at run time
        self._logs, self._group, self._sleep = logs, group, sleep
        self.cut_off_seconds: list[int] = []
        """Seconds with more rows than an answer has: some of these are missing."""

    def begins_at(self, since: float, now: float) -> float:
        """From when on the group has lines: it was created, or its retention has ended; seconds since 1970.

        Raises:
            SettingsError: There is no such group.
        """
        found = self._logs.describe_log_groups(logGroupNamePrefix=self._group)["logGroups"]
        for group in found:
            if group["logGroupName"] == self._group:
                kept = group.get("retentionInDays")
                return float(max(since, group["creationTime"] / 1000, now - kept * 86_400 if kept else 0))
        raise SettingsError(
            f"there is no log group {self._group} in {self._logs.meta.region_name}. Fix: correct --log-group"
        )

    def manifests(self, since: float, until: float) -> Iterator[Record]:
        """The records of requests for manifests, by the time at which CloudWatch has them."""
        begin, end, length = math.floor(since), math.ceil(until), _FIRST_PERIOD_SECONDS
        while begin <= end:
            # Both ends belong to the period.
            last = min(begin + length - 1, end)
            rows = self._ask(MANIFESTS, begin, last)
            if len(rows) >= LIMIT and last > begin:
                length = max(1, (last - begin + 1) // 2)
                continue
            if len(rows) >= LIMIT:
                self.cut_off_seconds.append(begin)
            yield from records(row["@message"] for row in rows)
            begin = last + 1
            if len(rows) < LIMIT // 4:
                length *= 2

    def sums(self, since: float, until: float) -> Iterator[tuple[str, str, str, int]]:
        """Server, ECR host (empty for `front`), repository and bytes."""
        for row in self._ask(BYTES, math.floor(since), math.ceil(until)):
            if row.get("named"):
                yield row["from_server"], row.get("host", ""), row["named"], int(float(row["total"]))

    def _ask(self, query: str, begin: int, end: int) -> list[Mapping[str, str]]:
        started = self._logs.start_query(
            logGroupName=self._group, startTime=begin, endTime=end, queryString=query, limit=LIMIT
        )
        for _ in range(int(_LONGEST_QUERY_SECONDS / _PAUSE_SECONDS)):
            answer = self._logs.get_query_results(queryId=started["queryId"])
            if answer["status"] == "Complete":
                return [{field["field"]: field["value"] for field in row} for row in answer["results"]]
            if answer["status"] not in ("Scheduled", "Running"):
                break
            self._sleep(_PAUSE_SECONDS)
        raise SettingsError(
            f"the query of log group {self._group} is {answer['status']}. Fix: choose a shorter --since, or try again"
        )
