"""Failures F1 to F14: cached content is served, and uncached content fails with the right status and in time."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Literal

import pytest

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.cloud.tokens import Token
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from tests.proxy.cache_times import wait_until_circuit_is_closed
from tests.proxy.client import ACCEPT, Answer, Client
from tests.proxy.traffic import paths, published

Credential = Literal["expired", "of another region", "missing", "truncated"]


@dataclass(frozen=True)
class FailureMode:
    """What fails, and the answers to a client that pulls an image which is not cached."""

    id: str
    fault: Behaviour | Credential
    manifest_status: int
    blob_status: int
    code: str | None
    """Of the error in the blob's answer; None where the answer begins as a good one and breaks off."""
    within_seconds: int
    """The longest until the first byte: what the `timeouts` below add up to. 0 is at once."""


ECR_DEADLINE_SECONDS = 11
"""Three times `connect_seconds` (3), and `ecr_seconds` (2)."""
BLOB_DEADLINE_SECONDS = 44
"""Twice: the deadline of ECR, and that of S3 (three times `connect_seconds`, and `s3_seconds`, 2)."""
DENIED = frozenset({"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:ListImages"})
THROTTLED = Behaviour(registry_status=429, registry_retry_after_seconds=1)

FAILURE_MODES = (
    FailureMode("F1", "expired", 503, 503, "UNAVAILABLE", 2 * ECR_DEADLINE_SECONDS),
    FailureMode("F2", Behaviour(denied_actions=DENIED), 403, 403, "DENIED", 2 * ECR_DEADLINE_SECONDS),
    FailureMode("F3", "of another region", 503, 503, "UNAVAILABLE", 2 * ECR_DEADLINE_SECONDS),
    FailureMode("F4", "missing", 503, 503, "UNAVAILABLE", 0),
    FailureMode("F5", "truncated", 503, 503, "UNAVAILABLE", 0),
    FailureMode("F6", THROTTLED, 429, 429, "TOOMANYREQUESTS", 0),
    FailureMode("F7", Behaviour(registry_status=500), 503, 503, "UNAVAILABLE", ECR_DEADLINE_SECONDS),
    FailureMode("F8", Behaviour(registry_delay_seconds=20), 504, 504, "UNAVAILABLE", 2),
    FailureMode("F9", Behaviour(registry_outage="refused"), 503, 503, "UNAVAILABLE", 3),
    FailureMode("F10", Behaviour(s3_status=403), 200, 503, "UNAVAILABLE", BLOB_DEADLINE_SECONDS),
    FailureMode("F11", Behaviour(s3_status=404), 200, 503, "UNAVAILABLE", BLOB_DEADLINE_SECONDS),
    FailureMode("F12", Behaviour(s3_status=500), 200, 503, "UNAVAILABLE", BLOB_DEADLINE_SECONDS),
    FailureMode("F13", Behaviour(s3_cut_after_bytes=700_000), 200, 200, None, 2),
    FailureMode("F14", Behaviour(s3_delay_seconds=20), 200, 504, "UNAVAILABLE", 2),
)
MARGIN_SECONDS = 20
"""For a busy machine: too much to notice one second more, enough to notice a wait without end."""


@pytest.fixture(scope="module")
def timeouts() -> str:
    """The shortest that are allowed; `connect_seconds` is 3 by default."""
    return "ecr_seconds = 2\ns3_seconds = 2\npause_seconds = 1"


@pytest.fixture
def pull_secret(control: Control, world: World, token: Token) -> Callable[[Credential], str | None]:
    """The text of the mounted pull secret, with such a credential in it."""

    def text(credential: Credential) -> str | None:
        authorization = token.authorization
        if credential == "expired":
            with control.behaving(Behaviour(token_lifetime_seconds=-1)):
                authorization = control.issue_token(world.region).authorization
        elif credential == "of another region":
            authorization = control.issue_token("eu-west-1").authorization
        whole = json.dumps({"auths": {world.ecr_host: {"auth": authorization}}})
        return {"missing": None, "truncated": whole[: len(whole) // 2]}.get(credential, whole)

    return text


@pytest.fixture
def failing(
    mode: FailureMode,
    serving: Pod,
    control: Control,
    pull_secret: Callable[[Credential], str | None],
    restore_credential: Callable[[], None],
) -> AbstractContextManager[None]:
    """The failure lasts for as long as the context does."""
    if isinstance(mode.fault, Behaviour):
        return control.behaving(mode.fault)
    return credential_replaced(serving, pull_secret(mode.fault), restore_credential)


@pytest.fixture
def restore_credential(serving: Pod, world: World, token: Token) -> Callable[[], None]:
    """Puts a good credential into the pull secret."""
    return lambda: serving.give(dict.fromkeys(world.ecr_hosts, token.authorization))


@contextmanager
def credential_replaced(pod: Pod, text: str | None, restore: Callable[[], None]) -> Iterator[None]:
    """Another text in the pull secret, or no secret."""
    pod.put_credential(text)
    try:
        yield
    finally:
        restore()


def answer_within(client: Client, path: str, limit_seconds: int) -> Answer:
    """An answer that begins in time; the client of the test records it for its leak check."""
    hasty = Client(limit_seconds + MARGIN_SECONDS)
    try:
        return hasty.get(path, ACCEPT)
    except TimeoutError:
        pytest.fail(f"{path}: no answer within {limit_seconds} s, and {MARGIN_SECONDS} more")
    finally:
        client.seen += hasty.seen


@pytest.mark.parametrize(
    "mode", [pytest.param(mode, marks=pytest.mark.rule(mode.id), id=mode.id) for mode in FAILURE_MODES]
)
def test_cached_content_is_served_and_uncached_content_fails_in_time(
    mode: FailureMode, failing: AbstractContextManager[None], client: Client, publisher: Publisher
) -> None:
    cached, uncached = published(publisher), published(publisher)
    wait_until_circuit_is_closed(client)
    bodies = {path: client.get(path, ACCEPT).body for path in paths(cached)}
    with failing:
        manifest, blob = (answer_within(client, path, mode.within_seconds) for path in paths(uncached))
        again = {path: answer_within(client, path, 0) for path in paths(cached)}
        assert client.get("/-/ready").status == 200
    assert {path: (answer.status, answer.body) for path, answer in again.items()} == {
        path: (200, body) for path, body in bodies.items()
    }
    assert (manifest.status, blob.status) == (mode.manifest_status, mode.blob_status)
    if mode.code is None:
        assert not blob.complete
        return
    assert blob.error_code() == mode.code
    assert mode.code == "DENIED" or int(blob.header("Retry-After") or 0) > 0
