"""Which earlier token a region without a new one keeps."""

from datetime import datetime, timedelta
from threading import Barrier

import pytest

from lambda_fn.contract.authorization import Authorization
from lambda_fn.contract.secret import Entry
from lambda_fn.edges.ecr import Ecr
from lambda_fn.job import tokens
from lambda_fn.job.credential import Credential
from lambda_fn.job.tokens import Tokens, host_of
from lambda_fn.settings import Registry
from tests.fakes.clock import STARTED_AT
from tests.fakes.world import HOST, World

ENDPOINT = "123456789012.dkr-ecr.ap-southeast-2.on.aws"
WITH_ENDPOINT = Registry(account="123456789012", region="ap-southeast-2", endpoint=ENDPOINT)
WITHOUT_ENDPOINT = Registry(account="123456789012", region="ap-southeast-2")
REGIONS = ("ap-southeast-2", "eu-central-1", "eu-west-1", "us-east-1")
ELSEWHERE = Registry(account="123456789012", region="eu-west-1")


@pytest.mark.parametrize(
    ("registry", "hosts", "host"),
    [
        (WITH_ENDPOINT, (HOST, ENDPOINT), ENDPOINT),
        (WITH_ENDPOINT, (HOST,), None),
        (WITHOUT_ENDPOINT, ("not-ecr.example.com", HOST), HOST),
        (ELSEWHERE, (HOST, "210987654321.dkr.ecr.eu-west-1.amazonaws.com"), None),
    ],
)
def test_a_registrys_host_is_its_endpoint_or_that_of_its_account_and_region(
    registry: Registry, hosts: tuple[str, ...], host: str | None
) -> None:
    assert host_of(registry, hosts) == host


def gathered(world: World) -> Tokens:
    return tokens.gather(
        (WITHOUT_ENDPOINT, ELSEWHERE),
        now=world.clock.now(),
        must_outlive=timedelta(hours=1),
        registry=world.registry,
        cluster=world.cluster,
    )


@pytest.mark.parametrize(("valid_for", "missing"), [(1, ()), (0, ("123456789012 in eu-west-1",))])
def test_an_earlier_token_is_kept_until_the_instant_of_its_expiry(
    monkeypatch: pytest.MonkeyPatch, valid_for: int, missing: tuple[str, ...]
) -> None:
    world = World()
    earlier = Entry(Authorization("earlier"), STARTED_AT + timedelta(seconds=valid_for))
    host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
    monkeypatch.setattr(world.cluster, "read_tokens", lambda: {host: earlier})
    world.registry.failing.add("eu-west-1")
    found = gathered(world)
    assert found.missing == missing
    assert found.entries.get(host) == (None if missing else earlier)


@pytest.mark.parametrize(("valid_for", "is_kept"), [(1, True), (0, False)])
def test_a_host_that_the_settings_no_longer_name_keeps_its_token_until_it_expires(
    monkeypatch: pytest.MonkeyPatch, valid_for: int, *, is_kept: bool
) -> None:
    world = World()
    former = Entry(Authorization("former"), STARTED_AT + timedelta(seconds=valid_for))
    monkeypatch.setattr(world.cluster, "read_tokens", lambda: {ENDPOINT: former, HOST: former})
    found = gathered(world)
    assert found.former == ({ENDPOINT: former} if is_kept else {})
    assert found.entries[HOST] != former
    assert found.expires_at(world.clock.now()) == STARTED_AT + timedelta(hours=12)


def test_regions_and_hosts_that_do_not_answer_are_waited_for_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """80 registries; the real ECR runs the calls, and none of them ends before all of its kind have begun."""
    places = [(f"{number:012}", region) for region in REGIONS for number in range(20)]
    regions, hosts = Barrier(len(REGIONS)), Barrier(len(places))
    world = World()
    fetch, verify = world.registry.fetch_credential, world.registry.verify

    def fetched(region: str, *, now: datetime, must_outlive: timedelta) -> Credential:
        regions.wait(timeout=20)
        return fetch(region, now=now, must_outlive=must_outlive)

    def verified(host: str, token: Authorization) -> str | None:
        hosts.wait(timeout=20)
        return verify(host, token)

    monkeypatch.setattr(world.registry, "side_by_side", Ecr().side_by_side)
    monkeypatch.setattr(world.registry, "fetch_credential", fetched)
    monkeypatch.setattr(world.registry, "verify", verified)
    found = tokens.gather(
        [Registry(account=account, region=region) for account, region in places],
        now=world.clock.now(),
        must_outlive=timedelta(hours=1),
        registry=world.registry,
        cluster=world.cluster,
    )
    assert [*found.entries] == [f"{account}.dkr.ecr.{region}.amazonaws.com" for account, region in places]
