"""The DNS server of ECR's and S3's names does not answer, or returns another address."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testbed.sandbox.cloud.publish import Image, Publisher
from testbed.sandbox.pod import Pod
from testbed.waiting import wait_until
from tests.proxy.client import ACCEPT, Client
from tests.proxy.dns import NameServer, Relay
from tests.proxy.traffic import published, statuses

OLD, NEW = "127.0.0.21", "127.0.0.22"


@pytest.fixture(scope="module")
def resolver() -> str:
    """An address that no other DNS server uses."""
    return "127.0.0.53"


@pytest.fixture
def dns(resolver: str, names: dict[str, str], tmp_path: Path) -> Iterator[NameServer]:
    """It knows the names of ECR and S3, and is not started."""
    made = NameServer(resolver, tmp_path / "hosts")
    made.tell(names)
    yield made
    made.stop()


@pytest.fixture
def image(publisher: Publisher) -> Image:
    return published(publisher)


@pytest.mark.rule("F17")
def test_a_pod_without_dns_starts_and_serves_once_dns_is_back(
    pod: Pod, dns: NameServer, client: Client, image: Image
) -> None:
    pod.waits_for_upstreams = False
    pod.start()
    pid = pod.pid
    for path, status in (("/-/live", 200), ("/-/ready", 200), ("/-/startup", 503)):
        assert client.get(path).status == status
    answer = client.get(f"/v2/team/app/manifests/{image.digest}", ACCEPT)
    assert (answer.status, answer.error_code()) == (503, "UNAVAILABLE")
    assert int(answer.header("Retry-After") or 0) > 0
    dns.start()
    wait_until(lambda: client.get("/-/startup").status == 200, "the pod starts", pause_seconds=0.6)
    wait_until(lambda: statuses(client, image) == [200, 200], "the image is served")
    assert pod.pid == pid


def die(dns: NameServer) -> None:
    """The DNS server does not answer."""
    dns.stop()


def refuse(dns: NameServer) -> None:
    """It answers with an error, like a cluster's DNS server without its upstream."""
    dns.tell({})


@pytest.mark.rule("F18")
@pytest.mark.parametrize("end", [die, refuse])
def test_known_addresses_are_used_when_dns_fails_later(
    pod: Pod, dns: NameServer, client: Client, publisher: Publisher, image: Image, end: Callable[[NameServer], None]
) -> None:
    dns.start()
    pod.start()
    assert statuses(client, image) == [200, 200]
    end(dns)
    hosts = (pod.world.ecr_host, pod.world.layer_host)
    wait_until(
        lambda: all(f"{host} could not be resolved" in pod.error_log() for host in hosts),
        "nginx cannot resolve them",
    )
    assert statuses(client, published(publisher)) == [200, 200]
    assert client.get("/-/startup").status == 200


@pytest.mark.rule("F19")
@pytest.mark.parametrize("upstream", ["ecr", "s3"])
def test_a_changed_address_is_used_without_a_restart(
    pod: Pod, dns: NameServer, names: dict[str, str], client: Client, publisher: Publisher, upstream: str
) -> None:
    name = pod.world.ecr_host if upstream == "ecr" else pod.world.layer_host
    old, new = (Relay(address, to=names[name]) for address in (OLD, NEW))
    try:
        dns.tell({**names, name: OLD})
        dns.start()
        pod.start()
        pid = pod.pid
        assert statuses(client, published(publisher)) == [200, 200]
        assert (old.connections > 0, new.connections) == (True, 0)
        dns.tell({**names, name: NEW})
        old.close()
        wait_until(lambda: statuses(client, published(publisher)) == [200, 200], "the image is served")
        assert new.connections > 0
        assert pod.pid == pid
    finally:
        old.close()
        new.close()
