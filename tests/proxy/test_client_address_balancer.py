"""The client's address behind a load balancer that passes it on by PROXY protocol, with TLS there or in nginx."""

import secrets
import ssl
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx2
import pytest

from lambda_fn.contract.paths import HTTP_PORT, HTTPS_PORT, PROXY_PROTOCOL_PORT
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Image, Publisher, digest_of
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from tests.proxy.balancer import (
    BALANCER,
    LOCAL,
    PORT,
    STRANGER,
    SUBNETS,
    Tls,
    ask,
    balancer,
    header,
    lead_to_plain_port,
)
from tests.proxy.client import ACCEPT

TLS_ENDS = {"load balancer": 'certificate_zone_id = "Z12"', "nginx": 'tls_secret = "registry-tls"'}
CLIENT, OTHER_CLIENT = "127.0.0.77", "203.0.113.9"


@pytest.fixture(scope="module", params=list(TLS_ENDS))
def exposure(request: pytest.FixtureRequest) -> str:
    return f'kind = "nlb"\nsubnets = {SUBNETS}\n{TLS_ENDS[request.param]}'


@pytest.fixture(scope="module")
def terminates_tls(exposure: str) -> bool:
    """Whether the load balancer does."""
    return TLS_ENDS["load balancer"] in exposure


@pytest.fixture(scope="module")
def in_front(
    tmp_path_factory: pytest.TempPathFactory, world: World, secured: Pod, *, terminates_tls: bool
) -> Iterator[Pod]:
    """The pod, with a load balancer in front that finds it healthy."""
    with balancer(tmp_path_factory.mktemp("balancer"), world, terminates_tls=terminates_tls):
        yield secured


@pytest.fixture(scope="module")
def secured(serving: Pod, world: World, *, terminates_tls: bool) -> Pod:
    """The pod, with its certificate where nginx needs one."""
    if not terminates_tls:
        pair = world.pair("domain")
        serving.mount("tls", {"tls.crt": pair.certificate.read_bytes(), "tls.key": pair.key.read_bytes()})
    return serving


@pytest.fixture
def tls(world: World, trust: ssl.SSLContext, *, terminates_tls: bool) -> Tls | None:
    """TLS of a connection to the pod, if nginx terminates it."""
    return None if terminates_tls else partial(trust.wrap_socket, server_hostname=world.domain)


@pytest.fixture(scope="module")
def image(publisher: Publisher) -> Image:
    return publisher.image("team/balanced", "1.4", [b"layer" * 100_000])


@pytest.fixture
def session_of_a_client(world: World, trust: ssl.SSLContext) -> Callable[[], httpx2.Client]:
    """A client of the load balancer at the address `CLIENT`, with a connection of its own."""

    def name_the_domain(request: httpx2.Request) -> None:
        request.extensions["sni_hostname"] = world.domain

    return lambda: httpx2.Client(
        base_url=f"https://127.0.0.1:{PORT}",
        transport=httpx2.HTTPTransport(verify=trust, local_address=CLIENT),
        trust_env=False,
        headers=ACCEPT | {"Host": world.domain},
        event_hooks={"request": [name_the_domain]},
        timeout=30,
    )


def unseen() -> str:
    """A path that no cache has an answer for."""
    return f"/v2/team/{uuid.uuid4().hex}/tags/list"


@pytest.mark.rule("R67")
def test_a_pull_through_the_load_balancer_is_logged_with_the_address_of_its_client(
    in_front: Pod, session_of_a_client: Callable[[], httpx2.Client], image: Image
) -> None:
    path = f"/v2/team/balanced/blobs/{image.layers[0]}"
    with session_of_a_client() as session:
        manifest, layer = session.get("/v2/team/balanced/manifests/1.4"), session.get(path)
    assert (manifest.status_code, manifest.content) == (200, image.manifest)
    assert (layer.status_code, digest_of(layer.content)) == (200, image.layers[0])
    assert in_front.access_log("front", path)[-1]["client"] == CLIENT
    assert in_front.access_log("layers", path)[-1]["client"] == CLIENT


@pytest.fixture
def in_front_of_both_ports(in_front: Pod) -> Iterator[Pod]:
    """The load balancer leads to the port with PROXY protocol again at the end."""
    yield in_front
    lead_to_plain_port(plain=False)


@pytest.mark.rule("R67")
@pytest.mark.parametrize("plain_first", [True, False], ids=["to PROXY protocol", "and back"])
def test_moving_clients_from_one_port_of_the_pods_to_the_other_loses_no_pull(
    in_front_of_both_ports: Pod,
    session_of_a_client: Callable[[], httpx2.Client],
    publisher: Publisher,
    control: Control,
    *,
    plain_first: bool,
) -> None:
    image = publisher.image("team/balanced", uuid.uuid4().hex, [secrets.token_bytes(2_000_000)])
    manifest, layer = (
        f"/v2/team/balanced/{part}" for part in (f"manifests/{image.digest}", f"blobs/{image.layers[0]}")
    )

    def pull() -> tuple[int, int, str]:
        with session_of_a_client() as session:
            first, second = session.get(manifest), session.get(layer)
        return first.status_code, second.status_code, digest_of(second.content)

    lead_to_plain_port(plain=plain_first)
    with control.behaving(Behaviour(s3_bytes_per_second=200_000)), ThreadPoolExecutor(5) as pool:
        pulls = [pool.submit(pull) for _ in range(40)]
        time.sleep(1.5)
        assert not any(each.done() for each in pulls), "five are in progress, the others begin later"
        lead_to_plain_port(plain=not plain_first)
        assert {each.result() for each in pulls} == {(200, 200, image.layers[0])}
    clients = {line["client"] for line in in_front_of_both_ports.access_log("front", layer)}
    assert clients == {BALANCER, CLIENT}, "pulls went through both ports"


@pytest.mark.rule("R67")
def test_a_header_that_a_client_puts_behind_the_load_balancers_is_a_bad_request(secured: Pod, tls: Tls | None) -> None:
    """Through TLS that ends at the load balancer, the client's own header comes where a request is expected."""
    path = unseen()
    forged = header(BALANCER) + header(OTHER_CLIENT)
    if tls:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            ask(path, source=BALANCER, port=PROXY_PROTOCOL_PORT, beginning=forged, tls=tls)
    else:
        assert ask(path, source=BALANCER, port=PROXY_PROTOCOL_PORT, beginning=forged).startswith(b"HTTP/1.1 400 ")
    assert f'"client":"{OTHER_CLIENT}"' not in secured.logs()


@pytest.mark.rule("R67")
def test_a_connection_from_elsewhere_to_the_port_of_the_load_balancer_keeps_its_own_address(
    secured: Pod, tls: Tls | None
) -> None:
    path = unseen()
    ask(path, source=STRANGER, port=PROXY_PROTOCOL_PORT, beginning=header(OTHER_CLIENT), tls=tls)
    assert secured.access_log("front", path)[-1]["client"] == STRANGER
    assert secured.access_log("ecr", path)[-1]["client"] == STRANGER


@pytest.mark.rule("R67")
@pytest.mark.parametrize("source", [BALANCER, STRANGER])
def test_the_plain_port_takes_no_address_from_a_client(secured: Pod, tls: Tls | None, source: str) -> None:
    path = unseen()
    port = HTTPS_PORT if tls else HTTP_PORT
    ask(path, source=source, port=port, headers=f"X-Forwarded-For: {OTHER_CLIENT}\r\n", tls=tls)
    assert secured.access_log("front", path)[-1]["client"] == source
    assert secured.access_log("ecr", path)[-1]["client"] == source, "a client has its limits in any network"
    answer = ask(path, source=source, port=HTTP_PORT, beginning=header(OTHER_CLIENT))
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
    assert f'"client":"{OTHER_CLIENT}"' not in secured.logs()


@pytest.mark.rule("R67")
def test_a_header_without_a_client_is_a_health_check(secured: Pod, tls: Tls | None) -> None:
    answer = ask("/-/ready", source=BALANCER, port=PROXY_PROTOCOL_PORT, beginning=LOCAL, tls=tls)
    assert answer.startswith(b"HTTP/1.1 200 ")
    path = unseen()
    ask(path, source=BALANCER, port=PROXY_PROTOCOL_PORT, beginning=LOCAL, tls=tls)
    assert secured.access_log("ecr", path)[-1]["client"] == "", "the load balancer is no client"


@pytest.mark.rule("R69")
def test_an_ipv6_client_counts_by_its_network(secured: Pod, tls: Tls | None) -> None:
    path = unseen()
    ask(path, source=BALANCER, port=PROXY_PROTOCOL_PORT, beginning=header("2001:db8:1:2:3:4:5:6"), tls=tls)
    assert secured.access_log("front", path)[-1]["client"] == "2001:db8:1:2:3:4:5:6"
    assert secured.access_log("ecr", path)[-1]["client"] == "2001:db8:1:2::/64"


@pytest.mark.rule("R67")
@pytest.mark.usefixtures("secured")
def test_probes_and_clients_in_the_cluster_need_no_header(tls: Tls | None) -> None:
    assert ask("/-/ready", source=STRANGER, port=HTTP_PORT).startswith(b"HTTP/1.1 200 ")
    port = HTTPS_PORT if tls else HTTP_PORT
    assert ask("/v2/", source=STRANGER, port=port, tls=tls).startswith(b"HTTP/1.1 200 ")
