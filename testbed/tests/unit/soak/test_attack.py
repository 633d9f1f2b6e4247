"""What the hostile client sends."""

import pytest

from testbed.soak.attack import HTTP2_PREFACE, KINDS, frame
from testbed.soak.hostile import CASES, HTTP_NOT_FOUND, HTTP_OK, Seen


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


def test_every_attack_has_a_kind() -> None:
    assert {case.kind for case in CASES} == set(KINDS)


@pytest.mark.parametrize(
    ("cached", "uncached", "peak_bytes", "holds"),
    [
        ({200: 9}, {404: 99, 503: 1}, 799, True),
        ({200: 9, 503: 1}, {404: 100}, 799, False),
        ({200: 9}, {404: 98, 503: 2}, 799, False),
        ({200: 9}, {404: 100}, 800, False),
    ],
)
def test_an_attack_is_held_off_when_the_others_are_served(
    cached: dict[int | str, int],
    uncached: dict[int | str, int],
    peak_bytes: int,
    holds: bool,  # noqa: FBT001 - a table
) -> None:
    seen = Seen(peak_bytes=peak_bytes - 300, kernel_peak_bytes=300)
    seen.cached.update(cached)
    seen.uncached.update(uncached)
    seen.live[HTTP_OK] += 1
    assert seen.holds(1000) == holds
    assert HTTP_NOT_FOUND in seen.uncached
