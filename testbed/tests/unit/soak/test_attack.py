"""What a hostile client sends on each connection."""

import pytest

from testbed.soak.attack import command
from testbed.soak.attack_kinds import HTTP2_PREFACE, KINDS, frame


def test_a_frame_has_the_length_of_its_payload_first() -> None:
    assert frame(4, 1, 3, b"ab") == b"\x00\x00\x02\x04\x01\x00\x00\x00\x03ab"


@pytest.mark.parametrize(("kind", "least", "most"), [("7k-header", 6_900, 7_100), ("24k-header", 23_500, 24_500)])
def test_headers_have_their_size_and_no_end(kind: str, least: int, most: int) -> None:
    sent = KINDS[kind].first("/v2/", 0)
    assert least < len(sent) < most
    assert b"\r\n\r\n" not in sent


@pytest.mark.parametrize(("kind", "flags"), [("unread-streams", 0x5), ("unended-streams", 0x4)])
def test_every_stream_is_a_request(kind: str, flags: int) -> None:
    sent = KINDS[kind].first("/v2/", 3).removeprefix(HTTP2_PREFACE)
    found = []
    while sent:
        size = int.from_bytes(sent[:3], "big")
        found.append((sent[3], sent[4], int.from_bytes(sent[5:9], "big")))
        sent = sent[9 + size :]
    assert [stream for kind_, flag, stream in found if (kind_, flag) == (1, flags)] == [1, 3, 5]


@pytest.mark.parametrize("kind", ["unread-body", "unread-range"])
def test_a_request_that_is_not_read_is_whole(kind: str) -> None:
    sent = KINDS[kind].first("/v2/a/b", 0)
    assert sent.startswith(b"GET /v2/a/b HTTP/1.1\r\n")
    assert sent.endswith(b"\r\n\r\n")


def test_a_list_repeats_its_option() -> None:
    assert command("idle", {"path": ["/a", "/b"], "seconds": 3})[-4:] == [
        "idle",
        "--path=/a",
        "--path=/b",
        "--seconds=3",
    ]
