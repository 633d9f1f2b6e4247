"""What a pull of each client costs at ECR and S3: cold, warm by digest, and warm by tag after the tag's TTL."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence

import pytest

from lambda_fn.settings import Settings
from testbed.clients.buildkit import Buildkit
from testbed.clients.client import Client
from testbed.clients.kinds import KINDS
from testbed.sandbox import installation
from testbed.sandbox.cloud.control import Control, Requests
from testbed.sandbox.commands import run
from testbed.sandbox.pod import Pod
from testbed.sandbox.progress import say
from testbed.sandbox.world import World
from tests.clients.place import Image, answers, blobs

SHORT = ("docker", "containerd")
"""What people and nodes pull with; the others are counted in the long part."""

COUNTED: Sequence[type[Client]] = (*KINDS, Buildkit)

BLOBS = 4
"""Three layers and the configuration."""

pytestmark = pytest.mark.usefixtures("pod")


@pytest.fixture(
    scope="module",
    params=[pytest.param(kind, id=kind.name, marks=[] if kind.name in SHORT else pytest.mark.long) for kind in COUNTED],
)
def client(request: pytest.FixtureRequest, clients: dict[str, Client], world: World) -> Iterator[Client]:
    kind: type[Client] = request.param
    if kind.name in clients:
        yield clients[kind.name]
        return
    with kind.running(world) as made:
        yield made


@pytest.fixture
def direct(client: Client, world: World, private_login: Mapping[str, str], control: Control, app: Image) -> Requests:
    """What a pull costs without the proxy, from the private registry, by a client that has logged in to it."""
    with client.logged_in(private_login):
        return cost(control, client, app.moved_to(world.ecr_host).by("tag"))


@pytest.fixture(scope="module")
def blob_bytes(world: World, app: Image) -> int:
    """The size of the image's layers and configuration together."""
    private = app.moved_to(world.ecr_host).by("digest")
    manifest = json.loads(run(("crane", "manifest", private), environment=installation.logged_in(world)))
    return sum(part["size"] for part in (manifest["config"], *manifest["layers"]))


def test_a_cold_pull_sends_ecr_at_most_one_request_more_than_a_direct_pull(
    direct: Requests, client: Client, control: Control, app: Image, capsys: pytest.CaptureFixture[str]
) -> None:
    cold = cost(control, client, app.by("tag"))
    with capsys.disabled():
        say(f"{client.name}: {cold.count('registry')} requests to ECR, without the proxy {direct.count('registry')}")
    assert direct.count("s3.layer") == BLOBS
    assert cold.count("registry") <= direct.count("registry") + 1, requested(cold)


def test_a_cold_pull_reads_each_byte_from_s3_once(
    client: Client, control: Control, app: Image, blob_bytes: int
) -> None:
    """One layer has several slices."""
    cold = cost(control, client, app.by("tag"))
    assert cold.sent_bytes("s3.layer") == blob_bytes


def test_a_warm_pull_by_digest_sends_ecr_and_s3_nothing(client: Client, control: Control, app: Image, pod: Pod) -> None:
    """Also the first one by digest, after a pull by tag."""
    cost(control, client, app.by("tag"))
    answered = len(answers(pod))
    warm = cost(control, client, app.by("digest"))
    assert len(blobs(answers(pod)[answered:])) == BLOBS
    assert requested(warm) == []


def test_a_warm_pull_by_tag_sends_ecr_at_most_one_request_when_the_tag_has_expired(
    client: Client, control: Control, app: Image, settings: Settings
) -> None:
    cost(control, client, app.by("tag"))
    time.sleep(settings.proxy.cache.tag_seconds + 1)
    warm = cost(control, client, app.by("tag"))
    assert warm.count("registry") <= 1, requested(warm)
    assert warm.count("s3.layer") == 0


def cost(control: Control, client: Client, reference: str) -> Requests:
    """Pull an image that the client does not have; returns what has reached ECR and S3 for it."""
    client.forget()
    mark = control.mark()
    outcome = client.pull(reference)
    assert outcome.succeeded, outcome.output
    return control.requests(mark)


def requested(requests: Requests) -> list[tuple[str, str]]:
    """Method and path of each request to ECR or S3."""
    return [(entry.method, entry.path) for kind in ("registry", "s3.layer") for entry in requests.of(kind)]
