"""A client that gets a cached file which was cut short is not left waiting for the rest."""

import os
import re
import secrets

import pytest

from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from testbed.soak import cached_files
from tests.proxy.client import Client

MIB = 1 << 20


@pytest.fixture(scope="module")
def exposure() -> str:
    """Without an HTTP proxy in front, which would keep idle connections for longer."""
    return 'kind = "pod"\ntls_secret = "registry-tls"'


@pytest.fixture
def unchecked(pod: Pod, world: World) -> Pod:
    """A serving pod whose scrub does not find the file."""
    pair = world.pair("domain")
    pod.mount("tls", {"tls.crt": pair.certificate.read_bytes(), "tls.key": pair.key.read_bytes()})
    text = re.sub(r"js_periodic frontdoor\.scrub_\w+ \S+;", "", pod.configuration())
    (pod.folder / "config" / "nginx.conf").write_text(text, encoding="utf-8")
    pod.start()
    return pod


@pytest.mark.rule("R58")
@pytest.mark.parametrize("slice_number", [0, 1])
def test_the_connection_of_a_client_that_gets_a_short_body_ends_within_seconds(
    unchecked: Pod, client: Client, publisher: Publisher, slice_number: int
) -> None:
    content = secrets.token_bytes(2 * MIB + 7)
    path = f"/v2/team/app/blobs/{publisher.blob('team/app', content)}"
    assert client.get(path).body == content
    cached = cached_files.cached(unchecked.folder / "cache", "blobs")
    (file,) = (file for file in cached if f"bytes={slice_number * MIB}-" in cached_files.key(file))
    os.truncate(file, MIB // 2)
    answer = Client(timeout_seconds=15).get(path)
    assert (answer.status, answer.complete) == (200, False)
