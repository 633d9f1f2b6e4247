"""A search that finds nothing proves something only if it finds what is there."""

import base64
import json
import pickle
import traceback
from urllib.parse import quote

import pytest

from lambda_fn.contract.authorization import Authorization
from lambda_fn.contract.secret import Entry
from tests.contract.cluster import objects_of, settings
from tests.fakes.clock import STARTED_AT
from tests.fakes.registry import FakeRegistry
from tests.leaks import LeakCheck, leaks, shown_with_locals

CANARY = LeakCheck(password_bytes=200)


@pytest.mark.parametrize("secret", [CANARY.authorization, CANARY.password], ids=["token", "password"])
@pytest.mark.parametrize(
    "notation",
    [
        lambda s: s,
        lambda s: json.dumps({"log": json.dumps({"token": s})}),
        lambda s: quote(s, safe=""),
        lambda s: base64.b64encode(s.encode()).decode(),
        lambda s: base64.b64encode(f"x{s}".encode()).decode(),
        lambda s: base64.b64encode(f"xy{s}".encode()).decode(),
        lambda s: base64.urlsafe_b64encode(s.encode()).decode().rstrip("="),
        lambda s: base64.encodebytes(s.encode()).decode(),
        lambda s: base64.b64encode(base64.b64encode(f"AWS:{s}".encode())).decode(),
        lambda s: s.encode().hex(),
        lambda s: s[40:120],
    ],
)
def test_a_leak_is_found_in_every_notation(secret: str, notation: object) -> None:
    assert callable(notation)
    assert leaks(secret, f"before {notation(secret)} after")


def test_a_text_without_the_secret_has_no_leak() -> None:
    other = LeakCheck(password_bytes=200)
    assert CANARY.leaks(f"{other.authorization} {other.password}") == []


def test_the_secret_manifest_holds_the_token_and_the_other_manifests_do_not() -> None:
    registry = FakeRegistry()
    credential = registry.fetch_credential("ap-southeast-2", now=STARTED_AT, must_outlive=STARTED_AT - STARTED_AT)
    of = settings()
    stored = {credential.host: Entry(credential.authorization, credential.expires_at)}
    secret = objects_of(of).secret(stored, credential.expires_at, STARTED_AT)
    assert registry.leak_check.leaks(json.dumps(secret))
    assert registry.leak_check.leaks(f"{secret} {secret!r} {secret['data']}") == []
    assert not registry.leak_check.leaks(json.dumps(objects_of(of).config_map("events {}")))


def test_a_search_in_a_traceback_with_locals_finds_a_leak() -> None:
    def fail(held: str) -> None:
        raise ValueError(len(held))

    with pytest.raises(ValueError, match=r"^[0-9]+$") as caught:
        fail(CANARY.authorization)
    assert CANARY.leaks(shown_with_locals(caught.value))


def test_an_authorization_stays_hidden_in_a_traceback_with_locals() -> None:
    held = Authorization(CANARY.authorization)
    with pytest.raises(TypeError) as caught:
        pickle.dumps({"held": held})
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "Authorization(***)" in shown
    assert CANARY.leaks(shown) == []
