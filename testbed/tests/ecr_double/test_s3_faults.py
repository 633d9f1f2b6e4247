"""Locations and layers as no healthy AWS gives them: the later rows S of testbed/docs/ecr-double.md."""

import socket
import time
from urllib.parse import urlsplit

import httpx2
import pytest

from testbed.sandbox.cloud.behaviour import Behaviour, Outage
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.world import World
from testbed.tests.ecr_double.layers import LAYER, error_code, located


@pytest.mark.row("S14")
@pytest.mark.parametrize("characters", [1024, 4096, 12288, 32768])
def test_a_location_of_any_length_works(
    client: httpx2.Client, ecr: httpx2.Client, control: Control, repository: str, digest: str, characters: int
) -> None:
    control.set(Behaviour(location_characters=characters))
    location = located(ecr, repository, digest)

    assert len(location) == characters
    assert client.get(location).content == LAYER


@pytest.mark.row("S15")
def test_a_location_can_lead_anywhere(ecr: httpx2.Client, control: Control, repository: str, digest: str) -> None:
    control.set(Behaviour(location_host="169.254.169.254"))

    assert located(ecr, repository, digest).startswith("https://169.254.169.254/")


@pytest.mark.row("S16")
def test_a_location_can_be_relative(ecr: httpx2.Client, control: Control, repository: str, digest: str) -> None:
    control.set(Behaviour(location_relative=True))

    location = urlsplit(located(ecr, repository, digest))

    assert (location.scheme, location.netloc, location.path[0]) == ("", "", "/")


@pytest.mark.row("S17")
@pytest.mark.parametrize(
    ("status", "code"), [(403, "AccessDenied"), (404, "NoSuchKey"), (500, "InternalError"), (503, "SlowDown")]
)
def test_s3_can_fail(client: httpx2.Client, control: Control, location: str, status: int, code: str) -> None:
    control.set(Behaviour.model_validate({"s3_status": status}))

    assert error_code(client.get(location)) == (status, code)


@pytest.mark.row("S18")
def test_s3_can_be_slow_to_begin(client: httpx2.Client, control: Control, location: str) -> None:
    control.set(Behaviour(s3_delay_seconds=0.4))
    began = time.monotonic()

    assert client.get(location).content == LAYER

    assert time.monotonic() - began >= 0.4


@pytest.mark.row("S19")
def test_a_body_has_the_pace_that_is_set(client: httpx2.Client, control: Control, location: str) -> None:
    control.set(Behaviour(s3_bytes_per_second=20_000))
    began = time.monotonic()

    with client.stream("GET", location) as answer:
        pieces = answer.iter_raw()
        first = next(pieces)
        body = first + b"".join(pieces)

    assert body == LAYER
    assert len(first) <= 1000
    assert time.monotonic() - began >= 0.5


@pytest.mark.row("S20")
def test_a_slow_body_gets_going_when_the_pace_is_lifted(client: httpx2.Client, control: Control, location: str) -> None:
    control.set(Behaviour(s3_bytes_per_second=1000))
    began = time.monotonic()

    with client.stream("GET", location) as answer:
        pieces = answer.iter_raw()
        first = next(pieces)
        control.reset()
        body = first + b"".join(pieces)

    assert body == LAYER
    assert time.monotonic() - began < 5


@pytest.mark.row("S21")
def test_a_body_can_be_cut_after_a_number_of_bytes(client: httpx2.Client, control: Control, location: str) -> None:
    control.set(Behaviour(s3_cut_after_bytes=5000))

    with pytest.raises(httpx2.RemoteProtocolError, match="received 5000 bytes, expected 10240"):
        client.get(location)


@pytest.mark.row("S22")
@pytest.mark.parametrize(("outage", "error"), [("refused", ConnectionRefusedError), ("reset", ConnectionResetError)])
def test_s3_can_be_down(
    ecr: httpx2.Client, control: Control, world: World, outage: Outage, error: type[OSError]
) -> None:
    control.set(Behaviour(s3_outage=outage))

    with pytest.raises(error), socket.create_connection((world.s3_address, 443), timeout=5) as connection:
        connection.recv(1)

    assert ecr.get("/v2/").status_code == 200


@pytest.mark.row("S23")
def test_s3_comes_back(client: httpx2.Client, control: Control, location: str) -> None:
    control.set(Behaviour(s3_outage="refused"))
    control.reset()

    assert client.get(location).content == LAYER
