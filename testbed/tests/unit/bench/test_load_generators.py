"""What wrk, curl and the crowd print, read."""

import json

import pytest

from testbed.bench import crowd, curl, wrk

WRK = """\
Running 1s test @ http://127.0.0.1:8080/v2/
  1 threads and 32 connections
Requests/sec:  32000.10
{"requests":32000,"microseconds":1000000,"bytes":64000000,"p50":900,"p99":2500,"errors":3}
"""


def test_wrks_result_is_its_last_line() -> None:
    load = wrk.parse(WRK)
    assert load == wrk.Load(32000, 64_000_000, 0.0009, 0.0025, 3)


@pytest.mark.parametrize("output", ["", "unable to connect to 127.0.0.1:1\n"])
def test_wrk_without_a_result_is_an_error_that_quotes_it(output: str) -> None:
    with pytest.raises(ValueError, match="wrk printed no result"):
        wrk.parse(output)


def test_curl_says_a_line_for_each_client() -> None:
    line = {"http_code": 200, "time_starttransfer": 0.1, "time_total": 0.5, "size_download": 1000, "url": "x"}
    second = line | {"http_code": 503}
    output = f"{json.dumps(line)}\n{json.dumps(second)}\n"
    assert curl.parse(output) == [curl.Download(200, 0.1, 0.5, 1000), curl.Download(503, 0.1, 0.5, 1000)]


def test_a_crowds_slowest_clients_are_compared_with_the_median() -> None:
    clients = [{"first_byte_seconds": 0.1, "seconds": seconds, "bytes": 10} for seconds in (*[2.0] * 98, 4.0, 4.0)]
    failed = {"first_byte_seconds": 0, "seconds": 2.0, "bytes": 0, "failure": "/v2/: status 503"}
    got = crowd.parse(json.dumps({"seconds": 5, "bytes": 1000, "clients": [*clients, failed]}))
    assert (got.bytes_per_second, got.failures) == (200, ["/v2/: status 503"])
    assert got.finish_p99_to_p50 == pytest.approx(2)
