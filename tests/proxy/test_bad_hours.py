"""The table of docs/request-handling.md: what is kept is served, and what is not fails as the row says."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from lambda_fn.settings import Settings
from testbed.mutants.catalogue import bad_hours
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.cloud.tokens import Token
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from tests.proxy.asking import paths, published
from tests.proxy.client import ACCEPT, Answer, Client
from tests.proxy.patience import wait_until_ecr_is_asked

DENIED = frozenset({"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:ListImages"})
OUTCOME = re.compile(r"(?P<blobs>blobs )?(?P<status>[45]\d\d) `(?P<code>[A-Z]+)`")
LONGEST = re.compile(r"`(\w+_seconds)`")
FAULTS = {
    "B2": Behaviour(denied_actions=DENIED),
    "B6": Behaviour(registry_status=429, registry_retry_after_seconds=1),
    "B7": Behaviour(registry_status=500),
    "B8": Behaviour(registry_delay_seconds=20),
    "B9": Behaviour(registry_outage="refused"),
    "B10": Behaviour(s3_status=403),
    "B11": Behaviour(s3_status=404),
    "B12": Behaviour(s3_status=500),
    "B13": Behaviour(s3_cut_after_bytes=700_000),
    "B14": Behaviour(s3_delay_seconds=20),
}
"""The rows that are a fault of ECR or S3."""
MARGIN_SECONDS = 20
"""A busy machine's, beside what a row says: too much to notice a second more, enough to notice a wait without end."""

Spoil = Callable[[], str | None]


@pytest.fixture(scope="module")
def timeouts() -> str:
    """The shortest there are."""
    return "ecr_seconds = 2\ns3_seconds = 2\npause_seconds = 1"


@pytest.fixture
def spoiled(control: Control, world: World, token: Token) -> dict[str, Spoil]:
    """Row -> what is in the pull secret, for the rows that are about it."""

    def secret(authorization: str) -> str:
        return json.dumps({"auths": {world.ecr_host: {"auth": authorization}}})

    def expired() -> str:
        with control.behaving(Behaviour(token_lifetime_seconds=-1)):
            return secret(control.issue_token(world.region).authorization)

    whole = secret(token.authorization)
    return {
        "B1": expired,
        "B3": lambda: secret(control.issue_token("eu-west-1").authorization),
        "B4": lambda: None,
        "B5": lambda: whole[: len(whole) // 2],
    }


@pytest.fixture
def bad_hour(
    row: str, serving: Pod, control: Control, spoiled: dict[str, Spoil], give_back: Callable[[], None]
) -> AbstractContextManager[None]:
    """It begins, and is over."""
    if row in FAULTS:
        return control.behaving(FAULTS[row])
    return spoiling(serving, spoiled[row], give_back)


@pytest.fixture
def give_back(serving: Pod, world: World, token: Token) -> Callable[[], None]:
    """Puts a good credential into the pull secret."""
    return lambda: serving.give(dict.fromkeys(world.ecr_hosts, token.authorization))


def within_seconds(row: str, settings: Settings) -> int:
    """The longest that the row lets anybody wait for a first byte: what its settings come to, or nothing."""
    named = LONGEST.search(bad_hours()[row].within)
    return getattr(settings.proxy.timeouts, named[1]) if named else 0


def ask(client: Client, path: str, limit_seconds: int) -> Answer:
    """An answer, that begins in time; every test's client sees it."""
    hasty = Client(limit_seconds + MARGIN_SECONDS)
    try:
        return hasty.get(path, ACCEPT)
    except TimeoutError:
        pytest.fail(f"{path}: no answer within {limit_seconds} s, and {MARGIN_SECONDS} more")
    finally:
        client.seen += hasty.seen


@contextmanager
def spoiling(pod: Pod, spoil: Spoil, give_back: Callable[[], None]) -> Iterator[None]:
    """Another pull secret, for a while."""
    pod.put_credential(spoil())
    try:
        yield
    finally:
        give_back()


@pytest.mark.parametrize(
    "row", [name for name, hour in bad_hours().items() if "test_a_bad_hour_is_as_its_row_says" in hour.tests]
)
def test_a_bad_hour_is_as_its_row_says(
    row: str, bad_hour: AbstractContextManager[None], client: Client, publisher: Publisher, settings: Settings
) -> None:
    limit = within_seconds(row, settings)
    warm, cold = published(publisher), published(publisher)
    wait_until_ecr_is_asked(client)
    kept = {path: client.get(path, ACCEPT).body for path in paths(warm)}
    with bad_hour:
        manifest, blob = (ask(client, path, limit) for path in paths(cold))
        again = {path: ask(client, path, 0) for path in paths(warm)}
        assert client.get("/-/ready").status == 200
    assert {path: (answer.status, answer.body) for path, answer in again.items()} == {
        path: (200, body) for path, body in kept.items()
    }
    outcome = OUTCOME.search(bad_hours()[row].otherwise)
    if outcome is None:
        assert (manifest.status, blob.status, blob.complete) == (200, 200, False)
        return
    told = (int(outcome["status"]), outcome["code"])
    assert (blob.status, blob.error_code()) == told
    assert int(blob.header("Retry-After") or 0) > 0
    assert manifest.status == (200 if outcome["blobs"] else told[0])
