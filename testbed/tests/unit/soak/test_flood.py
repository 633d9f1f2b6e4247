"""What a hostile client requests that keeps a rate."""

import re
from itertools import islice

import pytest

from testbed.soak.flood_requests import KINDS, Aim, Request

AIM = Aim("team/soak", ["/v2/team/soak/blobs/a", "/v2/team/soak/blobs/b"], size_bytes=1000)


def asked(kind: str, number: int = 12) -> list[Request]:
    return list(islice(KINDS[kind].requests(AIM), number))


@pytest.mark.parametrize("kind", ["missing", "made-up-names"])
def test_what_is_missing_is_new_each_time(kind: str) -> None:
    paths = [request.path for request in asked(kind) if not request.path.endswith("/tags/list")]
    assert len(set(paths)) == len(paths)


def test_made_up_repositories_are_on_the_allow_list_and_have_manifests_and_blobs() -> None:
    kinds = {re.sub(r"[0-9a-f]{16,64}", "X", request.path) for request in asked("made-up-names")}
    assert kinds == {"/v2/team/X/manifests/sha256:X", "/v2/team/X/manifests/latest", "/v2/team/X/blobs/sha256:X"}


@pytest.mark.parametrize("kind", ["heads", "accepts", "one-byte-ranges", "aborted-pulls"])
def test_given_content_is_requested_in_turn(kind: str) -> None:
    assert [request.path[-1] for request in asked(kind, 4)] == ["a", "b", "a", "b"]


def test_a_flood_of_heads_gets_nothing() -> None:
    assert {request.method for request in asked("heads")} == {"HEAD"}


def test_accept_differs_and_has_known_and_unknown_types() -> None:
    headers = [request.headers for request in asked("accepts")]
    assert len(set(headers)) > len(headers) / 2
    assert {"application/x-" in header for header in headers} == {True, False}
    assert all(re.fullmatch(r"Accept: \S+(?:, \S+)*\r\n", header) for header in headers)


@pytest.mark.parametrize(
    ("kind", "form"), [("one-byte-ranges", r"Range: bytes=(\d+)-\1\r\n"), ("aborted-pulls", r"Range: bytes=(\d+)-\r\n")]
)
def test_ranges_begin_anywhere_in_the_content(kind: str, form: str) -> None:
    found = [re.fullmatch(form, request.headers) for request in asked(kind, 50)]
    offsets = {int(match[1]) for match in found if match}
    assert (None in found, len(offsets) > 10, max(offsets) < AIM.size_bytes) == (False, True, True)


def test_only_aborted_pulls_hang_up() -> None:
    assert [name for name, kind in KINDS.items() if kind.aborts] == ["aborted-pulls"]
