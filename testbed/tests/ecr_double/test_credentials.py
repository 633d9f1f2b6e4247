"""The callers that a registry accepts: rows A of testbed/docs/ecr-double.md."""

import base64
import socket
import ssl

import httpx2
import pytest

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.cloud.tokens import fingerprint
from testbed.sandbox.world import World

OTHER_REGION = "eu-west-1"


def ping(client: httpx2.Client, host: str, authorization: str | None) -> httpx2.Response:
    headers = {} if authorization is None else {"Authorization": authorization}
    return client.get(f"https://{host}/v2/", headers=headers)


def error_of(answer: httpx2.Response) -> tuple[int, str, str]:
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    (error,) = answer.json()["errors"]
    return answer.status_code, error["code"], error["message"]


@pytest.mark.row("A1")
@pytest.mark.parametrize(
    "header",
    [
        pytest.param(None, id="none"),
        pytest.param("Bearer abc", id="bearer"),
        pytest.param("Basic", id="empty"),
        pytest.param("Basic ***", id="not-base64"),
        pytest.param("Basic " + base64.b64encode(b"user:password").decode(), id="not-aws"),
    ],
)
@pytest.mark.usefixtures("control")
def test_no_credentials_are_answered_with_text_and_a_basic_challenge(
    client: httpx2.Client, world: World, header: str | None
) -> None:
    answer = ping(client, world.ecr_host, header)

    assert (answer.status_code, answer.text) == (401, "Not Authorized\n")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["WWW-Authenticate"] == f'Basic realm="https://{world.ecr_host}/",service="ecr.amazonaws.com"'


@pytest.mark.row("A2")
def test_a_valid_token_is_let_in(client: httpx2.Client, world: World, authorization: str) -> None:
    answer = ping(client, world.ecr_host, f"Basic {authorization}")

    assert (answer.status_code, answer.json()) == (200, {})
    assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"


@pytest.mark.row("A3")
def test_an_expired_token_is_denied_without_a_challenge(
    client: httpx2.Client, control: Control, world: World, authorization: str
) -> None:
    assert control.expire_tokens(fingerprint(authorization)) == 1

    answer = ping(client, world.ecr_host, f"Basic {authorization}")

    assert error_of(answer) == (
        403,
        "DENIED",
        "Your authorization token has expired. Reauthenticate and try again.",
    )
    assert "WWW-Authenticate" not in answer.headers


@pytest.mark.row("A4")
def test_a_token_expires_at_its_expires_at(client: httpx2.Client, control: Control, world: World) -> None:
    control.set(Behaviour(token_lifetime_seconds=-1))

    answer = ping(client, world.ecr_host, f"Basic {control.issue_token(world.region).authorization}")

    assert answer.status_code == 403


@pytest.mark.row("A5")
def test_every_token_can_be_ended_at_once(client: httpx2.Client, control: Control, world: World) -> None:
    tokens = [control.issue_token(world.region) for _ in range(2)]

    assert control.expire_tokens() >= 2

    answers = [ping(client, world.ecr_host, f"Basic {token.authorization}").status_code for token in tokens]
    assert answers == [403, 403]


@pytest.mark.row("A6")
def test_a_new_token_leaves_the_old_one_alive(
    client: httpx2.Client, control: Control, world: World, authorization: str
) -> None:
    control.issue_token(world.region)

    assert ping(client, world.ecr_host, f"Basic {authorization}").status_code == 200


@pytest.mark.row("A7")
@pytest.mark.usefixtures("control")
def test_a_token_that_was_never_issued_is_a_bad_request(client: httpx2.Client, world: World) -> None:
    malformed = base64.b64encode(b"AWS:" + b"x" * 4000).decode()

    answer = ping(client, world.ecr_host, f"Basic {malformed}")

    assert error_of(answer) == (400, "DENIED", "Your Authorization Token is invalid.")


@pytest.mark.row("A8")
def test_the_token_of_another_region_is_a_bad_request(client: httpx2.Client, control: Control, world: World) -> None:
    elsewhere = control.issue_token(OTHER_REGION)

    answer = ping(client, world.ecr_host, f"Basic {elsewhere.authorization}")

    assert error_of(answer) == (400, "DENIED", "Your Authorization Token is invalid.")


@pytest.mark.row("A9")
def test_one_token_reads_the_registry_of_another_account(
    client: httpx2.Client, world: World, authorization: str, repository: str
) -> None:
    elsewhere = world.registry_host(world.other_account)
    image = Publisher(client, elsewhere, authorization).image(repository, "1", [b"theirs"])

    answer = client.get(
        f"https://{elsewhere}/v2/{repository}/manifests/1", headers={"Authorization": f"Basic {authorization}"}
    )

    assert answer.content == image.manifest


@pytest.mark.row("A10")
@pytest.mark.parametrize("characters", [1024, 4092, 4096, 6400, 16384])
def test_tokens_of_any_size_work(client: httpx2.Client, control: Control, world: World, characters: int) -> None:
    control.set(Behaviour(token_characters=characters))
    token = control.issue_token(world.region)

    assert len(token.authorization) == characters
    assert ping(client, world.ecr_host, f"Basic {token.authorization}").status_code == 200


@pytest.mark.row("A11")
def test_a_wrong_host_header_is_denied(client: httpx2.Client, world: World, authorization: str) -> None:
    headers = {"Host": world.domain, "Authorization": f"Basic {authorization}"}

    answer = client.get(f"https://{world.ecr_host}/v2/", headers=headers, extensions={"sni_hostname": world.ecr_host})

    assert error_of(answer)[:2] == (403, "DENIED")


@pytest.mark.row("A12")
@pytest.mark.usefixtures("control")
@pytest.mark.parametrize("server_name", [None, "registry.frontdoor.test"])
def test_a_handshake_without_the_registrys_name_fails(world: World, server_name: str | None) -> None:
    context = ssl.create_default_context(cafile=str(world.ca.certificate))
    context.check_hostname = False

    with (
        socket.create_connection((world.ecr_address, 443), timeout=10) as connection,
        pytest.raises(ssl.SSLError, match="EOF"),
    ):
        context.wrap_socket(connection, server_hostname=server_name)
