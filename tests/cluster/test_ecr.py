"""The edge to ECR against the double: its API, and its registry's opinion of a token."""

import gc
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from lambda_fn.contract.authorization import Authorization
from lambda_fn.contract.errors import RegistryError
from lambda_fn.edges.ecr import Ecr
from lambda_fn.job.credential import Credential
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.world import World

TWO_RUNS = timedelta(minutes=495)

# CPython up to 3.11 leaves a socket to the garbage collector that is reset between connect and handshake:
# SSLContext.wrap_socket raises before it would close it.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")


@pytest.fixture
def ecr(lambda_role: boto3.Session) -> Ecr:
    return Ecr(lambda region: lambda_role.client("ecr", region_name=region))


def fetch(ecr: Ecr, world: World) -> Credential:
    return ecr.fetch_credential(world.region, now=datetime.now(UTC), must_outlive=TWO_RUNS)


def test_a_token_is_fetched_and_every_host_of_the_region_accepts_it(ecr: Ecr, world: World, control: Control) -> None:
    del control
    found = fetch(ecr, world)
    assert (found.host, found.region) == (world.ecr_host, world.region)
    assert found.expires_at - datetime.now(UTC) > timedelta(hours=11)
    assert [ecr.verify(host, found.authorization) for host in world.ecr_hosts] == [None, None]


@pytest.mark.parametrize("characters", [1_000, 4_096, 16_000])
def test_a_token_of_any_size_is_accepted(ecr: Ecr, world: World, control: Control, characters: int) -> None:
    control.set(Behaviour(token_characters=characters))
    found = fetch(ecr, world)
    assert len(found.authorization.reveal()) == characters
    assert ecr.verify(found.host, found.authorization) is None


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        (Behaviour(token_api_error="AccessDeniedException"), "role needs ecr:GetAuthorizationToken"),
        (Behaviour(token_lifetime_seconds=-1), "token that expired at"),
        (Behaviour(token_lifetime_seconds=8 * 3600), r"before the second run from now.*refresh\.period_minutes"),
    ],
)
def test_an_api_that_gives_no_usable_token_is_an_error(
    ecr: Ecr, world: World, control: Control, behaviour: Behaviour, message: str
) -> None:
    control.set(behaviour)
    with pytest.raises(RegistryError, match=message):
        fetch(ecr, world)


def test_a_token_the_registry_refuses_is_an_error(ecr: Ecr, world: World, control: Control) -> None:
    found = fetch(ecr, world)
    control.expire_tokens()
    with pytest.raises(
        RegistryError, match=f"{world.ecr_host} refuses the new token with 403, so the earlier one stays"
    ):
        ecr.verify(found.host, found.authorization)


def test_a_token_of_another_region_is_refused(ecr: Ecr, world: World, control: Control) -> None:
    token = control.issue_token("eu-west-1")
    with pytest.raises(RegistryError, match=f"{world.ecr_host} refuses the new token with 40[013]"):
        ecr.verify(world.ecr_host, Authorization(token.authorization))


@pytest.mark.parametrize(
    ("behaviour", "warning"),
    [
        (Behaviour(registry_status=429), "answered 429"),
        (Behaviour(registry_status=503), "answered 503"),
        (Behaviour(registry_outage="refused"), "could not be asked"),
        (Behaviour(registry_outage="reset"), "could not be asked"),
        (Behaviour(registry_delay_seconds=12), "could not be asked"),
    ],
)
def test_a_registry_that_cannot_be_asked_is_a_warning_in_bounded_time(
    ecr: Ecr, world: World, control: Control, behaviour: Behaviour, warning: str
) -> None:
    found = fetch(ecr, world)
    with control.behaving(behaviour):
        answer = ecr.verify(found.host, found.authorization)
    gc.collect()
    assert answer is not None
    assert answer.startswith(f"{world.ecr_host} {warning}")
    assert answer.endswith("; it is used")


def test_a_host_that_is_not_trusted_never_sees_the_token(ecr: Ecr, world: World, control: Control) -> None:
    """TLS ends before the header is sent: a name that the certificate does not hold."""
    found = fetch(ecr, world)
    mark = control.mark()
    answer = ecr.verify("192.0.2.20", found.authorization)
    assert answer is not None
    assert "could not be asked" in answer
    assert control.requests(mark).count("registry") == 0
