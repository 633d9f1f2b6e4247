"""One hostile client with many connections: the others are served, and memory stays within its bound.

The pod has an eighth of its connections, and the attacks an eighth of theirs; `testbed.soak.hostile` has all of them.
"""

import secrets
import socket
import time
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path

import pytest

from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.pod import Pod
from testbed.waiting import wait_until
from tests.proxy.client import ADDRESS, Client
from tests.proxy.hostile import CONNECTIONS, HEADER_SECONDS, attack, kib_of_a_connection, start_small

SECONDS = 4
UNREAD_BYTES = 40_000_000
SEND_BUFFER_BYTES = 1_200_000


@pytest.fixture(autouse=True)
def small(pod: Pod) -> Pod:
    """A serving pod with fewer connections."""
    start_small(pod)
    return pod


@pytest.fixture
def blob(client: Client, publisher: Publisher) -> str:
    """The path of a cached blob."""
    path = f"/v2/team/app/blobs/{publisher.blob('team/app', secrets.token_bytes(1_500_000))}"
    assert client.get(path).status == 200
    return path


def status(client: Client, path: str, headers: Mapping[str, str] | None = None, *, method: str = "GET") -> int | str:
    """The status, or why there is none."""
    try:
        return client.ask(method, path, headers).status
    except (OSError, HTTPException) as error:
        return repr(error)


@pytest.mark.rule("R55", "F22")
@pytest.mark.parametrize("kind", ["kept-alive", "unfinished-header", "body", "7k-header", "24k-header"])
def test_other_clients_are_served_beside_many_connections_of_one(client: Client, blob: str, kind: str) -> None:
    cached, uncached, live = [], [], []
    with attack(kind, connections=CONNECTIONS, seconds=SECONDS, path=blob) as attacker:
        while attacker.poll() is None:
            cached.append(status(client, blob))
            uncached.append(status(client, f"/v2/team/app/manifests/{secrets.token_hex(8)}"))
            live.append(status(client, "/-/live"))
            time.sleep(0.05)
    assert (set(cached), set(uncached), set(live)) == ({200}, {404}, {200})


@pytest.mark.rule("R53", "F22")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("header", [{"Content-Length": "1000"}, {"Transfer-Encoding": "chunked"}])
def test_a_request_that_announces_a_body_is_refused_at_once(
    client: Client, blob: str, method: str, header: dict[str, str]
) -> None:
    began = time.monotonic()
    assert status(client, blob, header, method=method) == 413
    assert time.monotonic() - began < 1
    assert client.seen[-1].header("Connection") == "close"


@pytest.mark.rule("R53")
def test_an_empty_body_is_no_body(client: Client, blob: str) -> None:
    assert client.get(blob, {"Content-Length": "0"}).status == 200


@pytest.mark.rule("R54")
def test_headers_have_to_come_within_ten_seconds() -> None:
    began = time.monotonic()
    with socket.create_connection((ADDRESS, 8080)) as connection:
        connection.settimeout(1)
        connection.sendall(b"GET /v2/ HTTP/1.1\r\nHost: x\r\n")
        while not has_ended(connection) and time.monotonic() - began < 3 * HEADER_SECONDS:
            connection.sendall(b"X: y\r\n")
    assert HEADER_SECONDS - 1 < time.monotonic() - began < HEADER_SECONDS + 3


@pytest.mark.rule("R54")
def test_a_refused_client_that_goes_on_sending_is_left_after_two_seconds(blob: str) -> None:
    began = time.monotonic()
    with socket.create_connection((ADDRESS, 8080)) as connection:
        connection.settimeout(0.3)
        connection.sendall(f"GET {blob} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n".encode())
        while not has_ended(connection) and time.monotonic() - began < 20:
            connection.sendall(b"x")
    assert time.monotonic() - began < 4


@pytest.mark.rule("R54")
def test_a_client_that_reads_nothing_is_cut_off_after_thirty_seconds(
    client: Client, publisher: Publisher, small: Pod
) -> None:
    path = f"/v2/team/app/blobs/{publisher.blob('team/app', secrets.token_bytes(UNREAD_BYTES))}"
    assert client.get(path).status == 200
    with socket.create_connection((ADDRESS, 8080)) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        wait_until(lambda: len(small.access_log("front", path)) == 2, "the client is cut off", seconds=45)
    line = small.access_log("front", path)[1]
    assert 0 < line["bytes"] < UNREAD_BYTES
    assert 29 < line["seconds"] < 35


@pytest.mark.rule("R54")
def test_the_kernel_holds_little_for_a_client_that_reads_nothing(control: Control, publisher: Publisher) -> None:
    publisher.blob("team/app", b"so that the repository exists")
    digest = control.generated_layer(UNREAD_BYTES, seed=secrets.randbelow(2**31))
    with socket.create_connection((ADDRESS, 8080)) as connection:
        # It reads 8 MB first: only then the kernel would let the buffer grow.
        connection.sendall(f"GET /v2/team/app/blobs/{digest} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        read = 0
        while read < UNREAD_BYTES // 5:
            read += len(connection.recv(65536))
        wait_until(lambda: unsent_bytes(connection) > 100_000, "the buffer is used")
        time.sleep(2)
        assert unsent_bytes(connection) < SEND_BUFFER_BYTES


def unsent_bytes(connection: socket.socket) -> int:
    """What nginx's end of a connection has written and the client's has not taken."""
    port = f":{connection.getsockname()[1]:04X}"
    sockets = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()]
    (queues,) = [words[4] for words in sockets if words[1].endswith(":1F90") and words[2].endswith(port)]
    return int(queues.split(":")[0], 16)


def has_ended(connection: socket.socket) -> bool:
    """Whether the server has closed a connection; what it sends is dropped."""
    try:
        return not connection.recv(65536)
    except TimeoutError:
        return False
    except ConnectionError:
        return True


@pytest.mark.rule("R56", "F23")
def test_a_connection_with_full_headers_takes_less_than_20_kb(small: Pod, blob: str) -> None:
    assert 15 < kib_of_a_connection(small, blob) < 20


@pytest.mark.rule("R56", "F23")
def test_headers_of_24_kb_are_refused(client: Client) -> None:
    lines = {f"X-{number}": "x" * 4_000 for number in range(6)}
    answer = client.get("/v2/", lines)
    assert (answer.status, answer.error_code()) == (431, "UNKNOWN")


@pytest.mark.rule("R56")
@pytest.mark.parametrize("path", ["/v2/", "{blob}"])
def test_a_login_at_ecr_does_no_harm(client: Client, blob: str, path: str) -> None:
    """docker sends a stale login, beside an `Accept` with all of its types."""
    headers = {
        "Authorization": f"Basic {'x' * 6_400}",
        "Accept": ", ".join(["application/vnd.oci.image.index.v1+json"] * 8),
    }
    assert client.get(path.format(blob=blob), headers).status == 200
