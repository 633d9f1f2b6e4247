"""What the journal shows and what it hides."""

import pytest

from testbed.sandbox.cloud.journal import Journal, redacted
from testbed.sandbox.cloud.tokens import fingerprint


def opened(journal: Journal, path: str) -> int:
    url = ("host", path)
    return journal.open(kind="s3.layer", method="GET", url=url, server_name="", headers={}).number


def test_a_mark_is_the_number_of_the_last_entry() -> None:
    journal = Journal()
    mark = opened(journal, "/before")
    opened(journal, "/after")

    assert journal.last == mark + 1
    assert [entry.path for entry in journal.since(mark)] == ["/after"]


def test_an_entry_grows_with_its_answer() -> None:
    journal = Journal()
    entry = journal.open(kind="sts", method="GET", url=("h", "/"), server_name="", headers={})

    entry.status = 200
    entry.sent_bytes += 10

    assert [(seen.status, seen.sent_bytes) for seen in journal.since(0)] == [(200, 10)]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Basic c2VjcmV0", f"Basic {fingerprint('c2VjcmV0')}"),
        ("c2VjcmV0", fingerprint("c2VjcmV0")),
        ("AWS4-HMAC-SHA256 Credential=a, Signature=b", fingerprint("AWS4-HMAC-SHA256 Credential=a, Signature=b")),
    ],
)
@pytest.mark.parametrize("name", ["Authorization", "X-Amz-Security-Token"])
def test_a_secret_header_is_shown_as_scheme_and_fingerprint(name: str, value: str, shown: str) -> None:
    assert redacted({name: value}) == {name.lower(): shown}


def test_other_headers_are_shown_as_they_came() -> None:
    assert redacted({"Range": "bytes=0-1"}) == {"range": "bytes=0-1"}
