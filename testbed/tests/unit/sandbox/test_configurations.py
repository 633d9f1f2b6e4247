"""The settings that `make deploy-local` deploys: each is a file that the app takes, and differs as it should."""

import pytest

from cli.account.cluster import ClusterFacts
from cli.account.network import Subnet
from cli.init.draft import Draft
from cli.init.text import settings_text
from lambda_fn.settings import Settings, parse_toml
from stacks.preflight import reject_incompatible_settings
from testbed.sandbox.deployment import configurations
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.installation import proxy_keys
from testbed.sandbox.world import World

WORLD = World()
WRITTEN = settings_text(
    Draft(
        domain=WORLD.domain,
        cluster=ClusterFacts(name=WORLD.cluster, vpc_id="vpc-0a1b2c3d", security_group_id="sg-0a1b2c3d"),
        region=WORLD.region,
        account=WORLD.account,
        patterns=("team/*",),
        subnets=(Subnet(id="subnet-0a1b2c3d", zone="a", cidr="10.1.0.0/24", route_table_id="", default_route="nat"),),
        kind="pod",
    )
)
PROXY = proxy_keys(WORLD, image=f"{WORLD.ecr_host}/{WORLD.proxy_repository}:1.30.6")
FIRST = configurations.first(WRITTEN, "images", PROXY)
CHANGED = configurations.changed(FIRST, WORLD)


def settings(text: str) -> Settings:
    found = parse_toml(text, "frontdoor.toml")
    reject_incompatible_settings(found)
    return found


def test_the_first_is_what_init_writes_with_catalogue_and_metrics_and_has_one_schedule() -> None:
    found = settings(FIRST)
    assert (found.canary, found.cluster.vpc_id, found.cluster.namespace) == (None, "vpc-0a1b2c3d", "images")
    assert (found.page.catalogue, found.proxy.monitoring_namespace) == (True, "monitoring")


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
