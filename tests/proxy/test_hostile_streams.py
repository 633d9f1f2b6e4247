"""One hostile client over HTTP/2, with streams that it does not read or does not end: the others are served."""

import secrets
import socket
import ssl
import subprocess
import time
from contextlib import AbstractContextManager

import httpx2
import pytest

from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from testbed.soak.attack_kinds import HTTP2_PREFACE, frame
from tests.proxy.client import ADDRESS, Client
from tests.proxy.hostile import attack
from tests.proxy.memory import anonymous_kib

TARGET = f"{ADDRESS}:8443"
SERVED = 16
"""Streams that a connection gets at once."""
CONNECTIONS = 20
SECONDS = 6
MAX_CONCURRENT_STREAMS = b"\x00\x03"


@pytest.fixture(scope="module")
def exposure() -> str:
    return 'kind = "pod"\ntls_secret = "registry-tls"'


@pytest.fixture(autouse=True)
def secure(pod: Pod, world: World) -> Pod:
    """A serving pod with TLS."""
    pair = world.pair("domain")
    pod.mount("tls", {"tls.crt": pair.certificate.read_bytes(), "tls.key": pair.key.read_bytes()})
    pod.start()
    return pod


@pytest.fixture
def blob(client: Client, publisher: Publisher) -> str:
    """The path of a cached blob, larger than what nginx and the kernel buffer."""
    path = f"/v2/team/app/blobs/{publisher.blob('team/app', secrets.token_bytes(4_000_000))}"
    assert client.get(path).status == 200
    return path


def on_streams(kind: str, path: str, streams: int) -> AbstractContextManager["subprocess.Popen[bytes]"]:
    """An attack on the port for TLS."""
    return attack(kind, connections=CONNECTIONS, streams=streams, seconds=SECONDS, path=path, target=TARGET)


@pytest.mark.rule("R57", "F24")
@pytest.mark.parametrize("kind", ["unread-streams", "unended-streams"])
def test_other_clients_are_served_beside_the_streams_of_one(
    client: Client, blob: str, world: World, trust: ssl.SSLContext, kind: str
) -> None:
    statuses, secure = set(), set()
    with on_streams(kind, blob, 120) as attacker, httpx2.Client(verify=trust, trust_env=False, http2=True) as over_tls:
        while attacker.poll() is None:
            statuses.add(client.get(blob).status)
            secure.add(over_tls.get(f"https://{TARGET}{blob}", extensions={"sni_hostname": world.domain}).status_code)
            time.sleep(0.1)
    assert (statuses, secure) == ({200}, {200})


@pytest.mark.rule("R57", "F24")
def test_a_connection_with_unread_streams_takes_less_than_a_mebibyte(secure: Pod, blob: str) -> None:
    with on_streams("unread-streams", "/v2/", SERVED):
        pass  # nginx holds what it needs once
    idle = anonymous_kib(secure)
    grown: list[float] = []
    with on_streams("unread-streams", blob, 4 * SERVED) as attacker:
        while attacker.poll() is None:
            grown.append((anonymous_kib(secure) - idle) / CONNECTIONS)
            time.sleep(0.1)
    assert SERVED * 30 < max(grown) < 1100


@pytest.mark.rule("R57")
def test_a_connection_has_sixteen_streams_at_once() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    with socket.create_connection((ADDRESS, 8443)) as raw, context.wrap_socket(raw) as connection:
        connection.sendall(HTTP2_PREFACE + frame(4, 0, 0, b""))
        received = connection.recv(4096)
    length = int.from_bytes(received[:3], "big")
    settings = received[9 : 9 + length]
    pairs = {settings[at : at + 2]: int.from_bytes(settings[at + 2 : at + 6], "big") for at in range(0, length, 6)}
    assert (received[3], pairs[MAX_CONCURRENT_STREAMS]) == (4, SERVED)
