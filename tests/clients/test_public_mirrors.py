"""Real clients pull an image of Docker Hub by its own name, with the files that the front door prints for nodes."""

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from cli.node_files import node_files
from lambda_fn.settings import Settings, parse_toml
from testbed.clients.client import Client
from testbed.clients.containerd import Containerd
from testbed.clients.docker import Docker
from testbed.clients.podman import Podman
from testbed.sandbox import image, installation
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.imports import UPSTREAM
from testbed.sandbox.cloud.tokens import Token
from testbed.sandbox.commands import run
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from tests.clients.place import HTTPS_PORT, blobs_of_a_pull

FILES: Mapping[type[Client], tuple[str, str]] = {
    Containerd: ("/etc/containerd/certs.d/docker.io/hosts.toml", f"{Containerd.hosts}/docker.io/hosts.toml"),
    Docker: ("/etc/docker/daemon.json", Docker.settings),
    Podman: ("/etc/containers/registries.conf.d/docker.io.conf", ".config/containers/registries.conf"),
}
"""Client -> the path of its file on a node, and in its folder here."""
_MIRROR = """
[[registries]]
account = "{world.account}"
region = "{world.region}"
repositories = ["{pattern}"]
prefix = "{prefix}"
pull_through = true
upstream = "docker.io"
"""


@pytest.fixture(scope="module", params=[("docker-hub/*", ""), ("*", "docker-hub/")], ids=["prefix", "no prefix"])
def settings(request: pytest.FixtureRequest, world: World) -> Settings:
    """With a route for Docker Hub, once with a prefix of its own in public names and once without."""
    pattern, prefix = request.param
    text = installation.toml(world, image=image.proxy_image(world))
    mirror = _MIRROR.format(world=world, pattern=pattern, prefix=prefix)
    return parse_toml(text + mirror, "the test's settings")


@pytest.fixture(autouse=True)
def healthy(control: Control) -> Control:
    """A double with a cache rule, which sends blobs of an image that it imports to the CDN."""
    control.set(Behaviour(pull_through=frozenset({"docker-hub"}), import_seconds=2, imports_redirect=True))
    return control


@pytest.fixture
def name(world: World, token: Token) -> str:
    """The name of an image at Docker Hub, which ECR does not have yet."""
    folder = world.run / "upstream"
    folder.mkdir(exist_ok=True)
    auths = {world.ecr_hosts[1]: {"auth": token.authorization}}
    (folder / "config.json").write_text(json.dumps({"auths": auths}))
    found = f"library/{secrets.token_hex(4)}"
    reference = f"{world.ecr_hosts[1]}/{UPSTREAM}/docker-hub/{found}:1"
    run(("crane", "push", str(world.app_archive), reference), environment={**os.environ, "DOCKER_CONFIG": str(folder)})
    return found


@pytest.fixture(scope="module", params=list(FILES), ids=lambda kind: str(kind.name))
def client(request: pytest.FixtureRequest, world: World, settings: Settings) -> Iterator[Client]:
    """A client with the file that `frontdoor manifests --hosts-toml` prints for it."""
    kind: type[Client] = request.param
    printed, place = FILES[kind]
    mirrors = [registry.mirror for registry in settings.registries if registry.mirror]
    texts = [text for text in node_files(f"{world.domain}:{HTTPS_PORT}", mirrors) if printed in text]
    (text,) = texts
    content = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    with kind.running(world, {place: content}) as made:
        yield made


def test_an_image_of_docker_hub_is_pulled_by_its_own_name(
    client: Client, pod: Pod, control: Control, name: str
) -> None:
    mark = control.mark()
    assert len(blobs_of_a_pull(client, pod, f"docker.io/{name}:1")) == 4  # three layers and the configuration
    found = control.requests(mark)
    tags = [entry for entry in found.of("registry.manifests") if entry.path.endswith("/1")]
    assert [(entry.method, entry.status) for entry in tags] == [("GET", 200)], "one import"
    assert found.count("cdn.layer") > 0
    assert {Path(entry.path).parts[2] for entry in found.of("registry")} == {"docker-hub"}
