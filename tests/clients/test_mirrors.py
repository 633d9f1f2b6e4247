"""The mirror settings of docs/pulling.md send the pulls of files that name ECR to the proxy."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from testbed.clients.buildkit import Buildkit
from testbed.clients.client import Client
from testbed.clients.containerd import Containerd
from testbed.clients.copying import Skopeo
from testbed.clients.podman import Podman
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from tests.clients.place import Image, blobs_of_a_pull

DOCUMENT = Path(__file__).parents[2] / "docs" / "pulling.md"
DOMAIN, ECR_HOST = "registry.shrd.example.net", "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
"""The names in the document."""

_CONTAINERS = (".config/containers/registries.conf", "prefix")
FILES: Mapping[str, tuple[str, str]] = {
    Containerd.name: (f"{Containerd.hosts}/{{host}}/hosts.toml", "server"),
    Podman.name: _CONTAINERS,
    Skopeo.name: _CONTAINERS,
    Buildkit.name: (Buildkit.settings, "mirrors"),
}
"""Client -> where it has its setting, and a key that only this setting of the document has."""

BLOBS = 4
"""Three layers and the configuration."""


def setting(key: str, domain: str, ecr_host: str) -> str:
    """The setting of the document that has this key, with other host names."""
    blocks: list[str] = re.findall(r"```toml\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    (found,) = (block for block in blocks if re.search(rf"^{key} =", block, re.MULTILINE))
    assert DOMAIN in found
    assert ECR_HOST in found
    return found.replace(DOMAIN, domain).replace(ECR_HOST, ecr_host)


@pytest.fixture(scope="module", params=[Containerd, Podman, Skopeo, pytest.param(Buildkit, marks=pytest.mark.long)])
def client(request: pytest.FixtureRequest, world: World, app: Image) -> Iterator[Client]:
    """A client with the setting of the document."""
    kind: type[Client] = request.param
    file, key = FILES[kind.name]
    with kind.running(world, {file.format(host=world.ecr_host): setting(key, app.host, world.ecr_host)}) as made:
        yield made


@pytest.fixture
def private(world: World, app: Image) -> Image:
    """The image by its name in ECR."""
    return app.moved_to(world.ecr_host)


def test_a_pull_by_the_name_in_ecr_reaches_the_proxy_and_needs_no_login(
    client: Client, pod: Pod, private: Image
) -> None:
    assert len(blobs_of_a_pull(client, pod, private.by("tag"))) == BLOBS


@pytest.mark.usefixtures("places")
def test_without_the_proxy_a_client_with_a_login_pulls_from_ecr(
    client: Client, private: Image, private_login: Mapping[str, str]
) -> None:
    client.forget()
    with client.logged_in(private_login):
        outcome = client.pull(private.by("tag"))
    assert outcome.succeeded, outcome.output


@pytest.mark.usefixtures("places")
def test_without_the_proxy_and_a_login_a_pull_fails(client: Client, private: Image) -> None:
    client.forget()
    assert not client.pull(private.by("tag")).succeeded
