"""Every client pulls by tag and by digest, its next pull is a pull again, and it can have any login."""

from collections.abc import Iterator

import pytest

from testbed.clients.client import Client
from testbed.clients.kinds import KINDS, OWN_PLATFORM
from testbed.sandbox.pod import Pod
from tests.clients.place import By, Image, answers, blobs


@pytest.fixture(scope="module", params=[kind.name for kind in KINDS])
def client(request: pytest.FixtureRequest, clients: dict[str, Client]) -> Client:
    return clients[request.param]


@pytest.fixture
def stale_login(client: Client, app: Image) -> Iterator[None]:
    """A login for the public name from the time before the front door, when it needed one."""
    with client.logged_in({app.host: "AWS:expired"}):
        yield


@pytest.mark.parametrize("way", ["tag", pytest.param("digest", marks=pytest.mark.long)])
def test_a_client_pulls_the_whole_image_each_time(client: Client, pod: Pod, app: Image, way: By) -> None:
    seen = []
    for _ in range(2):
        client.forget()
        before = len(answers(pod))
        outcome = client.pull(app.by(way))
        assert outcome.succeeded, outcome.output
        seen.append(blobs(answers(pod)[before:]))
    assert len(seen[0]) == 4  # three layers and the configuration
    assert seen[0] == seen[1]


@pytest.mark.long
@pytest.mark.parametrize("way", ["tag", "digest"])
def test_a_client_pulls_an_image_for_several_platforms(client: Client, pod: Pod, multi: Image, way: By) -> None:
    client.forget()
    outcome = client.pull(multi.by(way))
    assert outcome.succeeded, outcome.output
    configurations = 1 if client.name in OWN_PLATFORM else 2
    assert len(blobs(answers(pod))) == 1 + configurations  # both platforms have the same layer


@pytest.mark.long
@pytest.mark.usefixtures("stale_login")
def test_a_stale_login_does_not_stop_a_pull(client: Client, pod: Pod, app: Image) -> None:
    client.forget()
    outcome = client.pull(app.by("tag"))
    assert outcome.succeeded, outcome.output
    assert len(blobs(answers(pod))) == 4
