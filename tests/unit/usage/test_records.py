"""Records are found in lines of every shape in which logs are shipped, and in files plain or compressed."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from cli.usage import log_files
from cli.usage.log_files import read_lines
from cli.usage.records import records
from lambda_fn.contract.errors import SettingsError
from tests.unit.usage.lines import Front

ONE, TWO = Front().tag("GET", "1.4", "a", user_agent='curl {"x"}').tag("GET", "1.5", "b").lines()
META = {"kubernetes": {"pod_name": "aws-registry-proxy-1", "labels": {"server": "no record"}}, "stream": "stdout"}


def wrapped(**fields: object) -> str:
    return json.dumps(fields | META)


SHAPES = {
    "plain": ONE + TWO,
    "the kubelet's file": f"2026-11-27T12:00:00.1Z stdout F {ONE}2026-11-27T12:00:00.2Z stdout F {TWO}",
    "an export to S3": f"2026-11-27T12:00:00.100Z {ONE}2026-11-27T12:00:00.200Z {TWO}",
    "kubectl logs --prefix": f"[pod/aws-registry-proxy-1/nginx] {ONE}[pod/aws-registry-proxy-1/nginx] {TWO}",
    "Fluent Bit": wrapped(log=ONE, date=1.5) + "\n" + wrapped(log=TWO, date=1.6),
    "Fluent Bit with CRI's prefix": wrapped(log=f"2026-11-27T12:00:00.1Z stdout F {ONE}") + "\n" + wrapped(log=TWO),
    "Fluent Bit, parsed": wrapped(log_processed=json.loads(ONE), log=ONE)
    + "\n"
    + wrapped(log_processed=json.loads(TWO)),
    "Fluent Bit, merged": json.dumps(META | json.loads(ONE)) + "\n" + json.dumps(META | json.loads(TWO)),
    "a subscription of CloudWatch": json.dumps(
        {
            "messageType": "DATA_MESSAGE",
            "logEvents": [{"id": "1", "message": ONE}, {"id": "2", "message": wrapped(log=TWO)}],
        }
    ),
    "Firehose, without line ends": json.dumps({"logEvents": [{"message": ONE}]})
    + json.dumps({"logEvents": [{"message": TWO}]}),
    "aws logs filter-log-events": json.dumps(
        {"events": [{"message": ONE}, {"message": TWO}], "searchedLogStreams": []}
    ),
    "an event collector": wrapped(event=json.loads(ONE)) + "\n" + wrapped(event=TWO),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("compressed", [False, True])
def test_records_are_found_in_every_shape(tmp_path: Path, shape: str, *, compressed: bool) -> None:
    file = tmp_path / "log"
    text = SHAPES[shape].encode()
    # Collectors append to a compressed file: it then has several members.
    file.write_bytes(gzip.compress(text[:200]) + gzip.compress(text[200:]) if compressed else text)
    found = [(record["tag"], record["server"], record["user_agent"]) for record in records(read_lines(file))]
    assert found == [("1.4", "front", 'curl {"x"}'), ("1.5", "front", "containerd/2.1")]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "\n",
        "2026/11/27 12:00:00 [error] 7#7: *1 {",
        '{"schema":1',
        '{"log":"{\\"server\\":"}',
        "[1, 2]",
        '{"a":' * 20_000,
        '{"schema":' + "[" * 200_000,
        '{"schema":' + "9" * 5000 + "}",
        '{"log":null}',
        "\x00\xff",
    ],
    ids=range(11),
)
def test_a_line_without_a_record_is_left_out(line: str) -> None:
    assert [record["tag"] for record in records([line, ONE])] == ["1.4"]


FORGED = (
    "2026/11/27 12:00:00 [error] 7#7: *1 client intended to send too large body: 2000 bytes, client: 10.1.0.8, "
    f'server: front, request: "GET /?{{}}{TWO.strip()} HTTP/1.1", host: "registry.shrd.example.net"\n'
)


@pytest.mark.parametrize(
    "line",
    [
        FORGED,
        f"2026-11-27T12:00:00.1Z stderr F {FORGED}",
        f"{META}{FORGED}".replace("'", '"'),
        wrapped(log=FORGED),
        json.dumps({"logEvents": [{"message": FORGED}, {"message": wrapped(log=FORGED)}]}),
    ],
    ids=range(5),
)
def test_a_record_that_a_client_writes_into_the_error_log_is_left_out(line: str) -> None:
    assert [record["tag"] for record in records([line, ONE])] == ["1.4"]


def test_standard_input_is_read_also_compressed() -> None:
    script = "from pathlib import Path; from cli.usage.log_files import *; print(len(list(read_lines(Path('-')))))"
    for content in ((ONE + TWO).encode(), gzip.compress((ONE + TWO).encode())):
        done = subprocess.run([sys.executable, "-c", script], input=content, capture_output=True, check=True)  # noqa: S603 - our own
        assert done.stdout == b"2\n"


@pytest.mark.parametrize(
    "content", [None, gzip.compress(ONE.encode())[:-9], gzip.compress(ONE.encode())[:12] + b"damaged" * 9]
)
def test_a_file_that_cannot_be_read_is_named_with_what_is_allowed(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "log"
    if content:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match=rf"cannot read {file}: .*Fix: name files"):
        list(read_lines(file))


def test_a_line_without_an_end_is_not_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_files, "_LONGEST_LINE", 1000)
    file = tmp_path / "log"
    file.write_bytes(b"x" * 5000)
    assert max(map(len, read_lines(file))) == 1000
