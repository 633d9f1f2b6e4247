"""The job over fakes: what is written, in which order, and what is left alone when something fails."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from lambda_fn.contract.errors import ClusterError, FrontdoorError, RegistryError, TemplateError
from lambda_fn.job import manifests
from lambda_fn.job.event import Request
from lambda_fn.job.report import RolloutStuckError
from lambda_fn.settings import parse_toml
from tests.canary import shown_with_locals
from tests.contract.cluster import SETTINGS, template
from tests.fakes.clock import STARTED_AT, FakeClock
from tests.fakes.registry import FakeRegistry
from tests.fakes.world import CONFIGURATION, HOST, World, installed

TWO_ACCOUNTS = SETTINGS.replace(
    "registries = [",
    'registries = [{ account = "210987654321", region = "ap-southeast-2", repositories = ["other/*"] }, '
    '{ account = "123456789012", region = "eu-west-1", repositories = ["eu/*"] }, ',
)


@pytest.fixture
def world() -> World:
    """A cluster with the charts applied."""
    return installed(World())


def test_a_first_run_writes_the_secret_then_the_configuration_then_rolls_and_waits(world: World) -> None:
    report = world.run()
    assert world.cluster.writes == [
        "Secret aws-registry",
        "ConfigMap aws-registry-proxy-config",
        "Deployment aws-registry-proxy",
    ]
    assert report.to_json() == {
        "dry_run": False,
        "hosts": [HOST],
        "expires_at": "2026-11-23T21:00:00Z",
        "config_sha256": world.annotations()[manifests.CONFIG_DIGEST],
        "changed": world.cluster.writes,
        "taken_over": [],
        "rolled_out": True,
        "cache_purged": False,
        "undone": False,
        "pods_ready": 2,
        "pods_wanted": 2,
        "warnings": [],
    }
    assert sum(world.clock.slept) == pytest.approx(20)


def test_the_secret_holds_the_token_and_the_configuration_what_the_template_makes(world: World) -> None:
    report = world.run()
    assert world.auths() == {HOST: {"auth": world.registry.canary.authorization}}
    found = world.cluster.read("ConfigMap", "aws-registry-proxy-config")
    assert found is not None
    assert found["data"]["nginx.conf"] == f"# registry.frontdoor.test 10.96.0.10 {HOST} ^(?:team/.*)$"
    assert report.config_sha256 == manifests.digest(found["data"]["nginx.conf"])


def test_a_second_run_with_the_same_token_writes_nothing(world: World) -> None:
    world.registry.valid_for = timedelta(hours=12)
    world.run()
    world.cluster.writes.clear()
    world.registry.valid_for -= world.clock.now() - STARTED_AT
    report = world.run()
    assert world.cluster.writes == []
    assert report.changed == ()
    assert not report.rolled_out


def test_a_new_token_changes_the_secret_and_rolls_nothing(world: World) -> None:
    world.run()
    world.cluster.writes.clear()
    world.registry.canary = FakeRegistry().canary
    report = world.run()
    assert world.cluster.writes == ["Secret aws-registry"]
    assert not report.rolled_out
    assert world.auths()[HOST]["auth"] == world.registry.canary.authorization


def test_an_edited_template_rolls_the_deployment(world: World) -> None:
    world.run()
    world.edit_template("# edited")
    assert world.run().rolled_out


def test_every_registry_has_its_regions_token_and_its_own_host() -> None:
    world = installed(World(parse_toml(TWO_ACCOUNTS, "the test's settings")))
    report = world.run()
    assert report.hosts == (
        "210987654321.dkr.ecr.ap-southeast-2.amazonaws.com",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
        HOST,
    )
    assert tuple(world.auths()) == report.hosts == tuple(world.registry.asked)


def test_a_forced_rollout_restarts_the_pods_although_nothing_changed(world: World) -> None:
    world.run()
    at = world.clock.now()
    assert world.run(Request(force_rollout=True)).rolled_out
    assert world.annotations()[manifests.RESTARTED_AT] == f"{at:%FT%TZ}"


def test_a_run_after_a_forced_rollout_keeps_its_annotation_and_rolls_nothing(world: World) -> None:
    world.run(Request(force_rollout=True))
    restarted = world.annotations()
    assert not world.run().rolled_out
    assert world.annotations() == restarted


def test_a_purge_rolls_the_pods_although_nothing_changed_and_records_when(world: World) -> None:
    world.run()
    at = world.clock.now()
    report = world.run(Request(purge_cache=True))
    assert (report.cache_purged, report.rolled_out) == (True, True)
    assert world.annotations()[manifests.CACHE_PURGED_AT] == f"{at:%FT%TZ}"
    assert manifests.RESTARTED_AT not in world.annotations()


def test_a_run_after_a_purge_neither_repeats_nor_undoes_it(world: World) -> None:
    world.run(Request(purge_cache=True))
    purged = world.annotations()
    report = world.run()
    assert (report.cache_purged, report.rolled_out) == (False, False)
    assert world.annotations() == purged


def test_a_forced_rollout_after_a_purge_keeps_the_record_of_the_purge(world: World) -> None:
    world.run(Request(purge_cache=True))
    purged_at = world.annotations()[manifests.CACHE_PURGED_AT]
    report = world.run(Request(force_rollout=True))
    assert (report.cache_purged, report.rolled_out) == (False, True)
    assert world.annotations()[manifests.CACHE_PURGED_AT] == purged_at


def test_a_purge_together_with_a_new_configuration_is_one_rollout(world: World) -> None:
    world.run()
    world.cluster.writes.clear()
    world.edit_template("# edited")
    assert world.run(Request(purge_cache=True, force_rollout=True)).cache_purged
    assert world.cluster.writes.count("Deployment aws-registry-proxy") == 1


def test_a_dry_run_of_a_purge_says_that_it_would_and_purges_nothing(world: World) -> None:
    world.run()
    before = world.annotations()
    assert world.run(Request(purge_cache=True, dry_run=True)).cache_purged
    assert world.annotations() == before


def test_a_purge_whose_pods_do_not_become_ready_is_reported_as_begun(world: World) -> None:
    world.run()
    world.cluster.rolls_in_seconds = None
    with pytest.raises(RolloutStuckError) as caught:
        world.run(Request(purge_cache=True))
    assert caught.value.report.cache_purged


def test_without_a_deployment_nothing_is_purged() -> None:
    world = World()
    world.cluster.create(template(world.settings, CONFIGURATION))
    assert not world.run(Request(purge_cache=True)).cache_purged


def test_a_dry_run_says_what_it_would_change_and_writes_nothing(world: World) -> None:
    report = world.run(Request(dry_run=True))
    assert report.dry_run
    assert report.rolled_out
    assert report.changed == (
        "Secret aws-registry",
        "ConfigMap aws-registry-proxy-config",
        "Deployment aws-registry-proxy",
    )
    assert world.cluster.writes == []
    assert world.cluster.read("Secret", "aws-registry") is None
    assert world.clock.slept == []


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (lambda w: w.registry.failing.add("ap-southeast-2"), RegistryError, "ThrottlingException"),
        (lambda w: w.registry.refusing.add(HOST), RegistryError, "refuses the new token"),
        (
            lambda w: w.edit_template("{{ domian }}"),
            TemplateError,
            "line 1: the name 'domian' is unknown",
        ),
        (
            lambda w: w.cluster.create(template(w.settings, key="other.conf")),
            ClusterError,
            "apply the charts",
        ),
    ],
    ids=["no token", "token refused", "bad template", "no template"],
)
def test_what_fails_before_the_first_write_leaves_the_cluster_untouched(
    world: World, spoil: Callable[[World], None], error: type[FrontdoorError], message: str
) -> None:
    world.run()
    before = world.auths()
    world.cluster.writes.clear()
    world.registry.canary = FakeRegistry().canary
    spoil(world)
    with pytest.raises(error, match=message):
        world.run()
    assert world.cluster.writes == []
    assert world.auths() == before


def test_a_token_that_dies_before_the_second_run_from_now_is_not_used(world: World) -> None:
    world.registry.valid_for = world.settings.refresh.schedule.longest_until(2) - timedelta(minutes=1)
    with pytest.raises(RegistryError):
        world.run()


def test_one_failing_region_keeps_all_tokens_as_they_are() -> None:
    world = installed(World(parse_toml(TWO_ACCOUNTS, "the test's settings")))
    world.registry.failing.add("eu-west-1")
    with pytest.raises(RegistryError):
        world.run()
    assert world.cluster.writes == []


def test_a_host_that_cannot_be_asked_is_a_warning(world: World) -> None:
    world.registry.unreachable.add(HOST)
    report = world.run()
    assert report.warnings == (f"{HOST} could not be asked",)
    assert "Secret aws-registry" in report.changed


def test_a_configuration_that_cannot_be_written_rolls_nothing(world: World) -> None:
    world.cluster.refusing.add("ConfigMap")
    with pytest.raises(ClusterError):
        world.run()
    assert world.cluster.writes == ["Secret aws-registry"]


def test_somebody_elses_change_is_taken_back_and_reported(world: World) -> None:
    world.run()
    world.cluster.edit("ConfigMap", "aws-registry-proxy-config", ("data", "nginx.conf"), "# mine")
    report = world.run()
    assert report.taken_over == ("ConfigMap aws-registry-proxy-config: .data.nginx.conf (conflict with kubectl-edit)",)
    assert not report.rolled_out


def test_without_a_deployment_the_secret_and_the_configuration_are_written_and_the_report_says_so() -> None:
    world = World()
    world.cluster.create(template(world.settings, CONFIGURATION))
    report = world.run()
    assert world.cluster.writes == ["Secret aws-registry", "ConfigMap aws-registry-proxy-config"]
    assert (report.pods_ready, report.rolled_out) == (0, False)
    assert report.warnings == (
        "Deployment aws-registry-proxy does not exist yet: apply the charts; nothing was rolled out",
    )


def test_a_stuck_rollout_is_an_error_that_says_why_and_carries_the_report(world: World) -> None:
    world.cluster.rolls_in_seconds = None
    with pytest.raises(RolloutStuckError) as caught:
        world.run()
    assert str(caught.value) == (
        "the rollout of Deployment aws-registry-proxy is not complete in time; 2 of 2 pods serve, those of the "
        "previous revision among them, with the new token. ConfigMap aws-registry-proxy-config is left as it is, for "
        "there was no configuration before. Correct what follows, or the template in ConfigMap "
        "aws-registry-proxy-tpl, and run again: pod aws-registry-proxy-x, container nginx: CrashLoopBackOff\n"
        "  nginx: [emerg] unknown directive"
    )
    assert caught.value.report.rolled_out
    assert sum(world.clock.slept) == pytest.approx(world.settings.refresh.rollout_timeout_seconds)


def test_an_older_stuck_rollout_is_an_error_of_every_later_run(world: World) -> None:
    world.cluster.rolls_in_seconds = None
    for _ in range(2):
        with pytest.raises(RolloutStuckError):
            world.run()
    assert world.cluster.writes.count("Deployment aws-registry-proxy") == 1


def test_the_wait_leaves_time_to_undo_and_to_report_before_the_invocation_ends() -> None:
    world = installed(World(clock=FakeClock(remaining_seconds=100)))
    world.cluster.rolls_in_seconds = None
    with pytest.raises(RolloutStuckError):
        world.run()
    assert world.clock.remaining_seconds() == pytest.approx(60)


def test_a_deployment_scaled_to_zero_is_a_warning(world: World) -> None:
    world.run()
    world.cluster.scale(0)
    report = world.run()
    assert (report.pods_ready, report.pods_wanted) == (0, 0)
    assert report.warnings == (
        "Deployment aws-registry-proxy is scaled to zero: nothing serves; kubectl scale it up again",
    )


@pytest.mark.parametrize("kind", ["Secret", "ConfigMap", "Deployment"])
def test_a_failed_write_leaves_no_token_in_a_traceback_with_locals(world: World, kind: str) -> None:
    world.cluster.refusing.add(kind)
    with pytest.raises(ClusterError) as caught:
        world.run()
    shown = shown_with_locals(caught.value)
    assert "wanted = [" in shown
    assert world.registry.canary.leaks(shown) == []


def test_no_report_or_error_or_configuration_holds_the_token(world: World) -> None:
    world.cluster.rolls_in_seconds = None
    with pytest.raises(RolloutStuckError) as caught:
        world.run()
    found = world.cluster.read("ConfigMap", "aws-registry-proxy-config")
    workload = world.cluster.read("Deployment", "aws-registry-proxy")
    emitted = f"{caught.value!r} {caught.value.report} {json.dumps(caught.value.report.to_json())} {found} {workload}"
    assert world.registry.canary.leaks(emitted) == []
