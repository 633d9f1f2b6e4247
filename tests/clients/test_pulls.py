"""Every client pulls by tag and by digest, its next pull is a pull again, and it can have any login."""

from collections.abc import Iterator

import pytest

from testbed.clients.client import Client
from testbed.clients.kinds import KINDS, OWN_PLATFORM
from testbed.sandbox.pod import Pod
from tests.clients.place import By, Image, blobs_of_a_pull


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
    seen = [blobs_of_a_pull(client, pod, app.by(way)) for _ in range(2)]
    assert len(seen[0]) == 4  # three layers and the configuration
    assert seen[0] == seen[1]


@pytest.mark.long
@pytest.mark.parametrize("way", ["tag", "digest"])
def test_a_client_pulls_an_image_for_several_platforms(client: Client, pod: Pod, multi: Image, way: By) -> None:
    configurations = 1 if client.name in OWN_PLATFORM else 2
    assert len(blobs_of_a_pull(client, pod, multi.by(way))) == 1 + configurations  # both platforms have the same layer


@pytest.mark.long
@pytest.mark.usefixtures("stale_login")
def test_a_stale_login_does_not_stop_a_pull(client: Client, pod: Pod, app: Image) -> None:
    assert len(blobs_of_a_pull(client, pod, app.by("tag"))) == 4
