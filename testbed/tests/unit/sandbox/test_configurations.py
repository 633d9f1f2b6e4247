"""The settings that `make deploy-local` deploys: each is a file that the app takes, and differs as it should."""

import pytest

from lambda_fn.settings import Settings, parse_toml
from stacks.preflight import reject_incompatible_settings
from testbed.sandbox.deployment import configurations
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.installation import toml
from testbed.sandbox.world import World

WORLD = World()
NETWORK = {"vpc_id": "vpc-0a1b2c3d", "subnet_ids": ["subnet-0a1b2c3d"], "security_group_id": "sg-0a1b2c3d"}
FIRST = configurations.first(toml(WORLD, image=f"{WORLD.ecr_host}/{WORLD.proxy_repository}:1.30.6"), NETWORK)
CHANGED = configurations.changed(FIRST, WORLD)


def settings(text: str) -> Settings:
    found = parse_toml(text, "frontdoor.toml")
    reject_incompatible_settings(found)
    return found


def test_the_first_has_one_schedule_and_a_lambda_in_the_vpc() -> None:
    found = settings(FIRST)
    assert (found.canary, found.cluster.vpc_id) == (None, "vpc-0a1b2c3d")


def test_the_changed_one_has_another_domain_and_period_and_a_canary() -> None:
    before, found = settings(FIRST), settings(CHANGED)
    assert found.canary
    assert (before.domain, found.domain) == (WORLD.domain, WORLD.new_domain)
    assert before.refresh.period_minutes != found.refresh.period_minutes == configurations.PERIOD_MINUTES


def test_the_refused_one_asks_for_too_many_pods_and_drops_the_canary() -> None:
    found = settings(configurations.refused(CHANGED))
    assert (found.proxy.replicas, found.canary) == (configurations.TOO_MANY_REPLICAS, None)


def test_the_stuck_one_has_an_image_that_is_not_there() -> None:
    found = settings(configurations.stuck(CHANGED, WORLD))
    assert found.proxy.image == f"{WORLD.ecr_host}/{WORLD.proxy_repository}:{configurations.NO_SUCH_TAG}"
    assert found.refresh.period_minutes != configurations.PERIOD_MINUTES


def test_the_one_without_an_image_differs_in_nothing_else_but_the_time_it_waits() -> None:
    before, found = settings(FIRST), settings(configurations.without_image(FIRST, WORLD))
    assert found.proxy.image.endswith(f":{configurations.NO_SUCH_TAG}")
    assert found.refresh.rollout_timeout_seconds < before.refresh.rollout_timeout_seconds
    assert found.model_copy(update={"proxy": before.proxy, "refresh": before.refresh}) == before


def test_the_other_period_is_all_that_differs() -> None:
    before, found = settings(CHANGED), settings(configurations.other_period(CHANGED))
    assert found.refresh.period_minutes != before.refresh.period_minutes
    assert found.model_copy(update={"refresh": before.refresh}) == before


def test_without_the_canary_nothing_else_is_changed() -> None:
    with_it = settings(CHANGED)
    assert settings(configurations.without_canary(CHANGED)) == with_it.model_copy(update={"canary": None})


def test_a_change_that_finds_nothing_to_change_is_an_error() -> None:
    with pytest.raises(SandboxError, match="drain_seconds = 300"):
        configurations.changed(FIRST.replace("drain_seconds = 300", ""), WORLD)
