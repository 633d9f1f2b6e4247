"""The names of ECR and S3 no longer exist, or lead to silent addresses."""

import secrets
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.pod import Pod
from testbed.waiting import wait_until
from tests.proxy.client import ACCEPT, Client
from tests.proxy.dns import NameServer
from tests.proxy.traffic import published, pull, statuses

Lead = Callable[[str, tuple[str, ...]], None]

SILENT = ("127.0.0.31", "127.0.0.32")


@pytest.fixture(scope="module")
def resolver() -> str:
    """An address that no other DNS server uses."""
    return "127.0.0.54"


@pytest.fixture(scope="module")
def timeouts() -> str:
    """Short for connections; an open circuit would last for longer than any test waits."""
    return "connect_seconds = 2\npause_seconds = 60"


@pytest.fixture
def dns(resolver: str, names: dict[str, str], tmp_path: Path) -> Iterator[NameServer]:
    """It knows the names of ECR and S3; other names of AWS do not exist."""
    made = NameServer(resolver, tmp_path / "hosts", zone="amazonaws.com")
    made.tell(names)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def lead(dns: NameServer, names: dict[str, str]) -> Lead:
    """Gives one name other addresses from now on."""
    return lambda name, addresses: dns.tell({**names, name: addresses})


@pytest.fixture
def silence() -> Iterator[None]:
    """Packets to these addresses are dropped, in the sandbox's network."""
    rules = [("INPUT", "--destination", address, "--jump", "DROP") for address in SILENT]
    for rule in rules:
        iptables("--insert", *rule)
    yield
    for rule in rules:
        iptables("--delete", *rule)


@pytest.fixture(autouse=True)
def proxy(pod: Pod, dns: NameServer) -> Pod:
    """A serving pod for one test."""
    assert dns
    pod.start()
    return pod


def iptables(*arguments: str) -> None:
    command = ("iptables", "--wait", *arguments)
    subprocess.run(command, check=True)  # noqa: S603 - in the sandbox's namespace


@pytest.mark.rule("F21")
def test_names_that_no_longer_exist_fail_at_once_and_are_used_again_once_they_are_back(
    proxy: Pod, dns: NameServer, names: dict[str, str], client: Client, publisher: Publisher
) -> None:
    warm = published(publisher)
    assert statuses(client, warm) == [200, 200]
    dns.tell({})
    wait_until(lambda: statuses(client, published(publisher)) == [503, 503], "nginx has resolved the names again")
    for lost in (published(publisher), published(publisher)):
        for answer in pull(client, lost):
            assert (answer.status, answer.error_code()) == (503, "UNAVAILABLE")
            assert int(answer.header("Retry-After") or 0) > 0
    (line, *_) = proxy.access_log("ecr", lost.digest)
    assert line["upstream"] == proxy.world.ecr_host, "nginx has looked for an address: the circuit is closed"
    assert statuses(client, warm) == [200, 200]
    assert client.get("/-/ready").status == 200
    pid = proxy.pid
    dns.tell(names)
    wait_until(lambda: statuses(client, published(publisher)) == [200, 200], "the image is served")
    assert proxy.pid == pid


@pytest.mark.rule("F9", "F14")
@pytest.mark.usefixtures("silence")
@pytest.mark.parametrize(("upstream", "expected"), [("ecr", [504, 504]), ("s3", [200, 504])])
def test_silent_addresses_are_504(
    proxy: Pod, lead: Lead, client: Client, publisher: Publisher, upstream: str, expected: list[int]
) -> None:
    warm = published(publisher)
    assert statuses(client, warm) == [200, 200]
    name = proxy.world.ecr_host if upstream == "ecr" else proxy.world.layer_host
    lead(name, SILENT)
    images = []

    def late() -> bool:
        images.append(published(publisher))
        return statuses(client, images[-1]) == expected

    wait_until(late, "nginx has resolved the names again")
    (line, *_) = proxy.access_log("ecr" if upstream == "ecr" else "layers", images[-1].layers[0])
    assert {f"{address}:443" for address in SILENT} <= set(line["upstream"].replace(" :", ",").split(", "))
    assert statuses(client, warm) == [200, 200]
    assert client.get("/-/ready").status == 200


@pytest.mark.rule("F9")
@pytest.mark.usefixtures("silence")
def test_another_address_is_used_when_one_is_silent(
    proxy: Pod, lead: Lead, names: dict[str, str], client: Client, publisher: Publisher
) -> None:
    ecr = proxy.world.ecr_host
    lead(ecr, (SILENT[0], names[ecr]))
    image = published(publisher)

    def after_the_silent_one() -> bool:
        """Nginx has resolved both, and tries one or the other first."""
        path = f"/v2/team/app/manifests/{secrets.token_hex(8)}"
        assert client.get(path, ACCEPT).status == 404
        lines = proxy.access_log("ecr", path)
        return any(line["upstream"] == f"{SILENT[0]}:443, {names[ecr]}:443" for line in lines)

    wait_until(after_the_silent_one, "the silent address is tried first")
    assert statuses(client, image) == [200, 200]
