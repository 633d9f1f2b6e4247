"""The client's address behind proxies that forward it in a header (`trusted_proxies`)."""

import uuid

import pytest

from lambda_fn.contract.paths import HTTP_PORT
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.pod import Pod
from tests.proxy.balancer import BALANCER, STRANGER, ask

SECOND = "127.0.0.3"
CLIENT = "203.0.113.9"


@pytest.fixture(scope="module")
def exposure() -> str:
    ranges = f'"{BALANCER}/32", "{SECOND}/32", "{BALANCER}/32"'
    return f'kind = "ingress"\nclass_name = "nginx"\ntrusted_proxies = [{ranges}]'


def clients_of(proxy: Pod, source: str, *forwarded: str) -> tuple[str, str]:
    """The address that is logged for a request, and what counts as one client behind the front."""
    path = f"/v2/team/{uuid.uuid4().hex}/tags/list"
    headers = "".join(f"X-Forwarded-For: {value}\r\n" for value in forwarded)
    ask(path, source=source, port=HTTP_PORT, headers=headers)
    return proxy.access_log("front", path)[-1]["client"], proxy.access_log("ecr", path)[-1]["client"]


@pytest.mark.rule("R68")
def test_the_header_of_a_trusted_proxy_names_the_client(proxy: Pod) -> None:
    assert clients_of(proxy, BALANCER, CLIENT) == (CLIENT, CLIENT)


@pytest.mark.rule("R68")
@pytest.mark.parametrize(
    "forwarded",
    [(f"198.51.100.1, {CLIENT}",), (f"198.51.100.1, {CLIENT}, {SECOND}",), ("198.51.100.1", f"{CLIENT}, {SECOND}")],
    ids=["one proxy", "two proxies", "a header of the client and one of the proxy"],
)
def test_what_a_client_claims_before_the_first_proxy_is_not_believed(proxy: Pod, forwarded: tuple[str, ...]) -> None:
    assert clients_of(proxy, BALANCER, *forwarded) == (CLIENT, CLIENT)


@pytest.mark.rule("R68")
def test_the_header_is_not_believed_from_elsewhere(proxy: Pod) -> None:
    assert clients_of(proxy, STRANGER, CLIENT) == (STRANGER, STRANGER)


@pytest.mark.rule("R69")
@pytest.mark.parametrize("forwarded", [(), ("unknown",), ("_hidden, secret",)])
def test_a_client_that_its_proxy_does_not_name_is_unknown(proxy: Pod, forwarded: tuple[str, ...]) -> None:
    assert clients_of(proxy, BALANCER, *forwarded) == (BALANCER, "")


NETWORKS = {
    "2001:db8:1:2:3:4:5:6": "2001:db8:1:2",
    "2001:db8:1:2::": "2001:db8:1:2",
    "2001:0DB8:0001:0002:0003:0000:0000:0000": "2001:db8:1:2",
    "2001:db8:1::1": "2001:db8:1:0",
    "2001:db8:1:0:3:4:5:6": "2001:db8:1:0",
    "2001:db8::1": "2001:db8:0:0",
    "2001:db8:0:0:3:4:5:6": "2001:db8:0:0",
    "2001:db8:0:0:1::": "2001:db8:0:0",
    "2001:db8:0:2:3:4:5:6": "2001:db8:0:2",
    "2001:db8:0:2::1": "2001:db8:0:2",
    "2001::1": "2001:0:0:0",
    "2001:0:0:2:3:4:5:6": "2001:0:0:2",
    "2001:0:1:2:3:4:5:6": "2001:0:1:2",
    "2001:0:1:2::6": "2001:0:1:2",
}


@pytest.mark.rule("R69")
@pytest.mark.parametrize(("address", "network"), NETWORKS.items())
def test_an_ipv6_address_counts_by_its_first_64_bits(proxy: Pod, address: str, network: str) -> None:
    assert clients_of(proxy, BALANCER, address)[1] == f"{network}::/64"


@pytest.mark.rule("R69")
def test_an_ipv4_address_in_ipv6_form_counts_as_ipv4(proxy: Pod) -> None:
    assert clients_of(proxy, BALANCER, f"::ffff:{CLIENT}")[1] == CLIENT


@pytest.mark.rule("R69")
def test_each_server_behind_the_front_knows_the_client_and_neither_ecr_nor_s3_does(
    proxy: Pod, control: Control, publisher: Publisher
) -> None:
    path = f"/v2/team/forwarded/blobs/{publisher.blob('team/forwarded', uuid.uuid4().bytes)}"
    before = control.mark()
    headers = f"X-Forwarded-For: {CLIENT}\r\nX-Client-Network: 198.51.100.1\r\n"
    ask(path, source=BALANCER, port=HTTP_PORT, headers=headers)
    assert {proxy.access_log(server, path)[-1]["client"] for server in ("front", "layers", "ecr")} == {CLIENT}
    requests = control.requests(before)
    assert [entry.kind for entry in requests.entries] == ["registry.blobs", "s3.layer"]
    assert CLIENT not in repr(requests.entries)


LARGE_BYTES = 200_000_000


@pytest.mark.rule("R69")
def test_the_servers_of_tags_and_of_pieces_know_the_client(proxy: Pod, control: Control, publisher: Publisher) -> None:
    tag = uuid.uuid4().hex
    publisher.image("team/forwarded", tag, [b"layer"])
    tagged = f"/v2/team/forwarded/manifests/{tag}"
    large = f"/v2/team/forwarded/blobs/{control.generated_layer(LARGE_BYTES)}"
    forwarded = f"X-Forwarded-For: {CLIENT}\r\n"
    ask(tagged, source=BALANCER, port=HTTP_PORT, headers=forwarded)
    ask(large, source=BALANCER, port=HTTP_PORT, headers=f"{forwarded}Range: bytes={LARGE_BYTES - 1000}-\r\n")
    for server, path in (("tags", tagged), ("ecr", tagged), ("pieces", large)):
        assert {line["client"] for line in proxy.access_log(server, path)} == {CLIENT}, server
