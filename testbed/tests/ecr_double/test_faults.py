"""Registries that fail: rows F of testbed/docs/ecr-double.md."""

import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from testbed.sandbox.cloud.answers import NO_CACHING_HEADERS
from testbed.sandbox.cloud.behaviour import Behaviour, Outage
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Image, Publisher
from testbed.sandbox.world import World
from tests.proxy.traffic import wait_until_requested

OUTAGES = [("refused", ConnectionRefusedError), ("reset", ConnectionResetError)]


def knock(address: str) -> bytes:
    """The bytes that a server sends to a client that only connects."""
    with socket.create_connection((address, 443), timeout=5) as connection:
        return connection.recv(1)


def rest_of(connection: ssl.SSLSocket) -> bytes:
    try:
        return connection.recv(1)
    except (ConnectionResetError, ssl.SSLEOFError):
        return b""


@pytest.fixture
def image(publisher: Publisher, repository: str) -> Image:
    return publisher.image(repository, "1", [b"a layer"])


@pytest.mark.row("F1")
@pytest.mark.parametrize(
    ("action", "request_line"),
    [
        ("ecr:BatchGetImage", "GET manifests/1"),
        ("ecr:BatchGetImage", "HEAD manifests/1"),
        ("ecr:GetDownloadUrlForLayer", "GET blobs/{layer}"),
        ("ecr:BatchCheckLayerAvailability", "HEAD blobs/{layer}"),
        ("ecr:ListImages", "GET tags/list"),
        ("ecr:InitiateLayerUpload", "POST blobs/uploads/"),
        ("ecr:PutImage", "PUT manifests/2"),
    ],
)
def test_each_route_needs_its_iam_action(
    ecr: httpx2.Client, control: Control, image: Image, repository: str, action: str, request_line: str
) -> None:
    method, path = request_line.format(layer=image.layers[0]).split()
    control.set(Behaviour(denied_actions=frozenset({action})))

    assert ecr.request(method, f"/v2/{repository}/{path}").status_code == 403
    assert ecr.get("/v2/").status_code == 200


@pytest.mark.row("F2")
def test_a_denied_action_says_who_may_not_do_what_on_which_repository(
    ecr: httpx2.Client, control: Control, world: World, image: Image, repository: str
) -> None:
    control.set(Behaviour(denied_actions=frozenset({"ecr:BatchGetImage"})))

    (error,) = ecr.get(f"/v2/{repository}/manifests/{image.digest}").json()["errors"]

    assert error["code"] == "DENIED"
    assert error["message"] == (
        f"User: arn:aws:sts::{world.account}:assumed-role/{world.refresher_role}/control is not authorized to perform:"
        f" ecr:BatchGetImage on resource: arn:aws:ecr:{world.region}:{world.account}:repository/{repository}"
        " because no identity-based policy allows the ecr:BatchGetImage action"
    )


@pytest.mark.row("F3")
def test_the_catalog_needs_describe_repositories(ecr: httpx2.Client, control: Control) -> None:
    control.set(Behaviour(denied_actions=frozenset({"ecr:DescribeRepositories"})))

    assert ecr.get("/v2/_catalog").status_code == 403


@pytest.mark.row("F4")
def test_a_throttled_request_is_429_with_retry_after(
    ecr: httpx2.Client, control: Control, image: Image, repository: str
) -> None:
    control.set(Behaviour(registry_status=429, registry_retry_after_seconds=7))

    answer = ecr.get(f"/v2/{repository}/manifests/{image.digest}")

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert answer.json() == {"errors": [{"code": "TOOMANYREQUESTS", "message": "Rate exceeded"}]}


@pytest.mark.row("F5")
def test_a_status_can_be_limited_to_actions(
    ecr: httpx2.Client, control: Control, image: Image, repository: str
) -> None:
    control.set(Behaviour(registry_status=429, registry_actions=frozenset({"ecr:GetDownloadUrlForLayer"})))

    assert ecr.get(f"/v2/{repository}/manifests/1").status_code == 200
    assert ecr.get(f"/v2/{repository}/blobs/{image.layers[0]}").status_code == 429


@pytest.mark.row("F6")
@pytest.mark.parametrize("status", [400, 500, 502, 503])
def test_the_registry_can_fail(ecr: httpx2.Client, control: Control, status: int) -> None:
    control.set(Behaviour.model_validate({"registry_status": status}))

    answer = ecr.get("/v2/")

    assert answer.status_code == status
    assert "Retry-After" not in answer.headers


@pytest.mark.row("F13")
def test_the_registry_throttles_above_a_rate(ecr: httpx2.Client, control: Control) -> None:
    control.set(Behaviour(registry_requests_per_second=2))

    assert [ecr.get("/v2/").status_code for _ in range(4)] == [200, 200, 429, 429]

    time.sleep(1)
    assert ecr.get("/v2/").status_code == 200


@pytest.mark.row("F13")
def test_pushes_do_not_count_to_that_rate(ecr: httpx2.Client, control: Control) -> None:
    control.set(Behaviour(registry_requests_per_second=3))

    assert {ecr.post("/v2/team/app/blobs/uploads/").status_code for _ in range(4)} == {202}
    assert ecr.get("/v2/").status_code == 200


@pytest.mark.row("F7")
def test_the_registry_can_be_slow(ecr: httpx2.Client, control: Control) -> None:
    control.set(Behaviour(registry_delay_seconds=0.4))
    began = time.monotonic()

    assert ecr.get("/v2/").status_code == 200

    assert time.monotonic() - began >= 0.4


@pytest.mark.row("F12")
def test_the_registry_can_hold_back_what_it_would_have_answered(
    ecr: httpx2.Client, control: Control, repository: str
) -> None:
    held = Behaviour(registry_status=500, registry_held_actions=frozenset({"ecr:ListImages"}))
    mark = control.mark()

    with ThreadPoolExecutor(1) as pool:
        control.set(held)
        answer = pool.submit(ecr.get, f"/v2/{repository}/tags/list")
        wait_until_requested(control, mark, "registry.tags")
        control.set(Behaviour(registry_held_actions=held.registry_held_actions))
        assert ecr.get("/v2/").status_code == 200, "other answers are not held back"
        assert not answer.done()
        control.reset()

        assert answer.result().status_code == 500


@pytest.mark.row("F8")
@pytest.mark.parametrize(("outage", "error"), OUTAGES)
def test_the_registry_can_be_down_and_come_back(
    ecr: httpx2.Client, control: Control, world: World, outage: Outage, error: type[OSError]
) -> None:
    control.set(Behaviour(registry_outage=outage))

    for _ in range(2):
        with pytest.raises(error):
            knock(world.ecr_address)

    control.reset()
    assert ecr.get("/v2/").status_code == 200


@pytest.mark.row("F9")
@pytest.mark.parametrize(("outage", "_"), OUTAGES)
def test_an_outage_cuts_open_connections(
    trust: ssl.SSLContext, control: Control, world: World, outage: Outage, _: type[OSError]
) -> None:
    plain = socket.create_connection((world.ecr_address, 443), timeout=5)
    with trust.wrap_socket(plain, server_hostname=world.ecr_host) as connection:
        control.set(Behaviour(registry_outage=outage))

        assert rest_of(connection) == b""


@pytest.mark.row("F11")
def test_the_registry_can_forbid_caching(ecr: httpx2.Client, control: Control, image: Image, repository: str) -> None:
    control.set(Behaviour(registry_forbids_caching=True))

    for path in (f"blobs/{image.layers[0]}", f"manifests/{image.digest}"):
        answer = ecr.get(f"/v2/{repository}/{path}")
        assert answer.status_code in {200, 307}
        assert NO_CACHING_HEADERS.items() <= {name.title(): value for name, value in answer.headers.items()}.items()


@pytest.mark.row("F10")
def test_an_outage_of_the_registry_leaves_s3_alone(
    ecr: httpx2.Client, client: httpx2.Client, control: Control, image: Image, repository: str
) -> None:
    location = ecr.get(f"/v2/{repository}/blobs/{image.layers[0]}").headers["Location"]
    control.set(Behaviour(registry_outage="refused"))

    assert client.get(location).content == b"a layer"
