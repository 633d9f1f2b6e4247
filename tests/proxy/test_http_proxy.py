"""HAProxy terminates TLS in front of nginx, as an Ingress controller, a Gateway or an ALB does.

It speaks HTTP/2 with clients and forwards their addresses. `tests/e2e/test_http_proxy.py` rolls pods behind it.
"""

import hashlib
import secrets
import subprocess
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from lambda_fn.contract.paths import HTTP_PORT
from testbed.sandbox import haproxy
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from testbed.waiting import wait_until
from tests.proxy.client import ADDRESS
from tests.proxy.limited import configure_short_queue

PROXY = "127.0.0.2"
CLIENT, OTHER, HOSTILE = "127.0.0.5", "127.0.0.6", "127.0.0.66"
CLAIMED = "203.0.113.9"
PORT = 9453
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
FLOOD = 60
"""Requests of one client at once."""
LARGE_BYTES = 24 << 20


@pytest.fixture(scope="module")
def exposure() -> str:
    return f'kind = "service"\ntrusted_proxies = ["{PROXY}/32"]'


class Curl(NamedTuple):
    """Sends requests to the domain through the proxy."""

    world: World

    def __call__(self, *words: str, client: str = CLIENT) -> str:
        """What curl prints for requests from the address of a client."""
        at = f"{self.world.domain}:{PORT}:{ADDRESS}"
        options = ("--silent", "--show-error", "--http2", "--cacert", str(self.world.ca.certificate))
        command = ["curl", *options, "--resolve", at, "--interface", client, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own

    def url(self, path: str) -> str:
        return f"https://{self.world.domain}:{PORT}{path}"


@contextmanager
def behind_the_proxy(world: World, folder: Path) -> Iterator[Curl]:
    """Clients before the proxy, which stands before a serving pod."""
    (folder / "proxy").mkdir()
    text = haproxy.http_proxy(address=ADDRESS, port=PORT, server=f"{ADDRESS}:{HTTP_PORT}", source=PROXY)
    with haproxy.running(world, folder / "proxy", text):
        found = Curl(world)
        wait_until(lambda: answers(found), "the proxy answers", seconds=20)
        yield found


@pytest.fixture
def curl(world: World, pod: Pod, tmp_path: Path) -> Iterator[Curl]:
    pod.start()
    with behind_the_proxy(world, tmp_path) as found:
        yield found


def answers(curl: Curl) -> bool:
    try:
        return curl(curl.url("/v2/"), "--output", "/dev/null", "--write-out", "%{http_code}") == "200"
    except subprocess.CalledProcessError:
        return False


def test_an_image_comes_whole_by_http_2_over_the_tls_of_the_proxy(
    curl: Curl, publisher: Publisher, tmp_path: Path
) -> None:
    image = publisher.image("team/behind", "1", [secrets.token_bytes(LARGE_BYTES)])
    found = []
    for kind, reference in (("manifests", "1"), ("blobs", image.config), ("blobs", image.layers[0])):
        file = tmp_path / reference.removeprefix("sha256:")
        url = curl.url(f"/v2/team/behind/{kind}/{reference}")
        words = (
            "--header",
            f"Accept: {MANIFEST}",
            "--output",
            str(file),
            "--write-out",
            "%{http_version} %{http_code}",
        )
        assert curl(url, *words) == "2 200"
        found.append(f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}")
    assert found == [image.digest, image.config, image.layers[0]]


@pytest.mark.rule("R68")
def test_the_log_names_the_client_that_the_proxy_forwards_and_not_what_a_client_claims(curl: Curl, pod: Pod) -> None:
    for client in (CLIENT, OTHER):
        path = f"/v2/team/{secrets.token_hex(16)}/tags/list"
        curl(curl.url(path), "--header", f"X-Forwarded-For: {CLAIMED}", client=client)
        for server in ("front", "ecr"):
            assert [line["client"] for line in pod.access_log(server, path)] == [client]


@pytest.fixture
def short(pod: Pod) -> Iterator[Pod]:
    """A serving pod with a short queue for each client. It is killed: queued requests would hold up its end."""
    pod.start()
    configure_short_queue(pod)
    yield pod
    pod.kill()


@pytest.mark.rule("R73", "R74")
def test_the_limit_of_one_client_is_not_that_of_another_behind_the_same_proxy(
    short: Pod, world: World, tmp_path: Path
) -> None:
    """The hostile client's requests are streams of one connection, and nginx gets all from the proxy's address."""

    def ask(client: str, curl: Curl) -> Counter[str]:
        urls = [curl.url(f"/v2/team/app/manifests/sha256:{secrets.token_hex(32)}") for _ in range(FLOOD)]
        each = [word for url in urls for word in (url, "--output", "/dev/null")]
        return Counter(curl("--parallel", "--write-out", "%{http_code}\n", *each, client=client).split())

    with behind_the_proxy(world, tmp_path) as curl, ThreadPoolExecutor(1) as pool:
        flood = pool.submit(ask, HOSTILE, curl)
        wait_until(lambda: clients_refused(short), "the hostile client is refused", seconds=30)
        path = f"/v2/team/app/manifests/sha256:{secrets.token_hex(32)}"
        timed = curl(curl.url(path), "--output", "/dev/null", "--write-out", "%{http_code} %{time_total}", client=OTHER)
        assert not flood.done()
        statuses = flood.result()
    status, seconds = timed.split()
    assert (status, float(seconds) < 2) == ("404", True), timed
    assert (statuses["429"], statuses.total()) == (statuses.total() - statuses["404"], FLOOD)
    assert statuses["429"] >= FLOOD // 2, statuses
    assert clients_refused(short) == {HOSTILE}


def clients_refused(pod: Pod) -> set[str]:
    return {line["client"] for line in pod.access_log("front", "") if line["status"] == 429}
