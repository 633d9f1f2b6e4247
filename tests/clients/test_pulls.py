"""Every client pulls by tag and by digest, and its next pull is a pull again."""

import pytest

from testbed.clients.client import Client
from testbed.clients.kinds import KINDS
from testbed.sandbox.pod import Pod
from tests.clients.place import By, Image, answers


@pytest.fixture(scope="module", params=[kind.name for kind in KINDS])
def client(request: pytest.FixtureRequest, clients: dict[str, Client]) -> Client:
    return clients[request.param]


@pytest.mark.parametrize("way", ["tag", "digest"])
def test_a_client_pulls_the_whole_image_each_time(client: Client, pod: Pod, app: Image, way: By) -> None:
    seen = []
    for _ in range(2):
        client.forget()
        before = len(answers(pod))
        outcome = client.pull(app.by(way))
        assert outcome.succeeded, outcome.output
        seen.append(sorted(line["path"] for line in answers(pod)[before:] if "/blobs/" in line["path"]))
    assert len(set(seen[0])) == 4  # three layers and the configuration
    assert seen[0] == seen[1]
