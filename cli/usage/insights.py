"""Records from a log group of CloudWatch, by Logs Insights.

A query returns 10,000 rows at most: requests for manifests are fetched for short periods, and bytes are summed there.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Limit.html
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cli.usage.layers import Taken
from cli.usage.records import YEAR_9999, Record, records
from lambda_fn.contract.errors import SettingsError

LIMIT = 10_000
"""Rows of an answer."""
_FIRST_PERIOD_SECONDS = 3600
_PAUSE_SECONDS = 1.0
_LONGEST_QUERY_SECONDS = 3600
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html"""

# `[\\"]+` encloses names and values in a line that is JSON, and in one that is text inside of JSON. No value contains
# it, whatever a client sends: so only the name of a field has it before a colon. A line of the error log, which quotes
# what clients send, has its time before `server`. A user agent may hold a time, too, and comes after it.
MANIFESTS = rf"""fields @message
| filter @message like /server[\\"]+\s*:[\s\\"]*front\W/
| filter @message like /\W(?:tag|media_type)[\\"]+\s*:\s*[\\"]+\w/ or @message like /path[\\"]+\s*:[^,]*\/v2\/[\\"]/
| sort @timestamp asc
| limit {LIMIT}"""
"""The records of requests for manifests, and of pings, which begin pulls."""
SENT = r"""# Bytes to clients, by the name that they asked for.
filter @message like /server[\\"]+\s*:[\s\\"]*front\W/ and @message like /status[\\"]+\s*:\s*20[06]\W/
| filter @message not like /[0-9]{4}\/[0-9]{2}\/[0-9]{2} [0-9:]{8} \[.*server[\\"]+\s*:[\s\\"]*front\W/
| parse @message /\Wrepository[\\"]+\s*:[\s\\"]*(?<named>[a-z0-9][a-z0-9._\/-]*)/
| parse @message /\Wbytes[\\"]+\s*:\s*(?<number>[0-9]{1,18})\W/
| stats sum(number) as total by named
| limit 10000"""
"""A path may have another name, such as that of a mirror's upstream."""
FETCHED = r"""# Bytes from ECR and S3, by ECR's host and name: strip, prefix and renames give clients another one.
filter @message like /server[\\"]+\s*:[\s\\"]*(?:layers|ecr)\W/ and @message like /status[\\"]+\s*:\s*20[06]\W/
| filter @message not like /[0-9]{4}\/[0-9]{2}\/[0-9]{2} [0-9:]{8} \[.*server[\\"]+\s*:[\s\\"]*(?:layers|ecr)\W/
| parse @message /path[\\"]+\s*:[\s\\"]*(?:\/-\/[a-z-]+)*\/(?<host>[a-z0-9.-]+)\/v2\/(?<named>[^"\\]+)\/[a-z]+\//
| parse @message /\Wbytes[\\"]+\s*:\s*(?<number>[0-9]{1,18})\W/
| parse @message /\Wcache[\\"]+\s*:[\s\\"]*(?<cached>HIT)?/
| filter not ispresent(cached)
| stats sum(number) as total by host, named
| limit 10000"""

LAYERS = r"""# Clients that were sent layers, by the repository that they asked for.
filter @message like /server[\\"]+\s*:[\s\\"]*front\W/ and @message like /status[\\"]+\s*:\s*(?:20[06]|307)\W/
| filter @message like /\Wmethod[\\"]+\s*:[\s\\"]*GET\W/ and @message like /\Wdigest[\\"]+\s*:\s*[\\"]+\w/
| filter @message not like /\W(?:tag|media_type)[\\"]+\s*:\s*[\\"]+\w/
| filter @message not like /[0-9]{4}\/[0-9]{2}\/[0-9]{2} [0-9:]{8} \[.*server[\\"]+\s*:[\s\\"]*front\W/
| parse @message /\Wrepository[\\"]+\s*:[\s\\"]*(?<named>[a-z0-9][a-z0-9._\/-]*)/
| parse @message /\Wclient[\\"]+\s*:[\s\\"]*(?<address>[0-9a-f.:]+)/
| parse @message /\Wended_at[\\"]+\s*:\s*(?<at>[0-9]{1,10}(?:\.[0-9]{1,20})?(?:e\+?09)?)\W/
| parse @message /\Wbytes[\\"]+\s*:\s*(?<number>[0-9]{1,18})\W/
| stats sum(number) as total, max(at) as last by named, address
| limit 10000"""
"""Those of them that have asked for a manifest are known from its records."""


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
        yield from records(row["@message"] for row in self._rows(MANIFESTS, since, until))

    def layers(self, since: float, until: float) -> Iterator[tuple[str, str, Taken]]:
        """The repository, the client, and what it was sent in one of the periods."""
        for row in self._rows(LAYERS, since, until):
            last_at = float(row.get("last", 0))
            if row.get("named") and row.get("address") and 0 < last_at < YEAR_9999:
                yield row["named"], row["address"], Taken(last_at, int(float(row.get("total", 0))))

    def _rows(self, query: str, since: float, until: float) -> Iterator[Mapping[str, str]]:
        """Rows for periods that are short enough."""
        begin, end, length = math.floor(since), math.ceil(until), _FIRST_PERIOD_SECONDS
        while begin <= end:
            # Both ends belong to the period.
            last = min(begin + length - 1, end)
            rows = self._ask(query, begin, last)
            if len(rows) >= LIMIT and last > begin:
                length = max(1, (last - begin + 1) // 2)
                continue
            if len(rows) >= LIMIT:
                self.cut_off_seconds.append(begin)
            yield from rows
            begin = last + 1
            if len(rows) < LIMIT // 4:
                length *= 2

    def sums(self, since: float, until: float) -> Iterator[tuple[str, str, int]]:
        """The ECR host (empty for bytes to clients), repository and bytes."""
        for query in (SENT, FETCHED):
            for row in self._ask(query, math.floor(since), math.ceil(until)):
                if row.get("named"):
                    yield row.get("host", ""), row["named"], int(float(row["total"]))

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
