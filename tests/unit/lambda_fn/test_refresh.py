"""The job over fakes: what is written, in which order, and what is left alone when something fails."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from lambda_fn.contract import objects
from lambda_fn.contract import secret as secret_format
from lambda_fn.contract.errors import ClusterError, FrontdoorError, RegistryError, SettingsError, TemplateError
from lambda_fn.job import manifests
from lambda_fn.job.credential import Credential
from lambda_fn.job.event import Request
from lambda_fn.job.report import (
    Ipv6Error,
    ReportedError,
    RolloutStuckError,
    StaleRegionError,
    UnfinishedError,
    UnrenderedTemplateError,
)
from lambda_fn.settings import parse_toml
from tests.contract.cluster import SETTINGS, template
from tests.fakes.clock import STARTED_AT, FakeClock
from tests.fakes.registry import FakeRegistry
from tests.fakes.world import CONFIGURATION, HOST, TWO_ACCOUNTS, World, installed
from tests.leaks import shown_with_locals

ROOT = Path(__file__).parents[3]


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
        "stale_regions": [],
        "config_sha256": world.annotations()[objects.CONFIG_SHA256],
        "changed": world.cluster.writes,
        "taken_over": [],
        "rolled_out": True,
        "cache_purged": False,
        "undone": False,
        "pods_ready": 2,
        "pods_killed": 0,
        "pods_wanted": 2,
        "warnings": [],
    }
    assert sum(world.clock.slept) == pytest.approx(20)


def test_tokens_that_do_not_fit_into_the_secret_end_the_run_with_one_error_before_anything_is_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secret_format, "LIMIT_BYTES", 100)
    with pytest.raises(
        SettingsError, match=r"^Secret aws-registry would have [0-9,]+ bytes .* Kubernetes allows 100; "
    ):
        world.run()
    assert world.cluster.writes == []


def test_the_secret_holds_the_token_and_the_configuration_what_the_template_makes(world: World) -> None:
    report = world.run()
    assert world.auths() == {HOST: {"auth": world.registry.leak_check.authorization}}
    secret = world.cluster.read("Secret", "aws-registry")
    assert secret is not None
    assert secret["metadata"]["namespace"] == world.settings.cluster.namespace
    found = world.cluster.read("ConfigMap", "aws-registry-proxy-config")
    assert found is not None
    assert found["data"]["nginx.conf"] == f"# registry.frontdoor.test 10.96.0.10 {HOST} team/"
    assert report.config_sha256 == manifests.digest(found["data"]["nginx.conf"])


def test_a_run_writes_the_operators_labels_and_annotations_and_a_later_run_removes_them(world: World) -> None:
    labelled = 'proxy = { labels = { team = "platform" }, annotations = { owner = "on-call" }, exposure'
    plain = world.settings
    world.settings = parse_toml(SETTINGS.replace("proxy = { exposure", labelled), "the test's settings")

    def written() -> list[tuple[str | None, str | None]]:
        objects_ = [("Secret", "aws-registry"), ("ConfigMap", "aws-registry-proxy-config")]
        metas = [found["metadata"] for one in objects_ if (found := world.cluster.read(*one))]
        return [(m["labels"].get("team"), (m.get("annotations") or {}).get("owner")) for m in metas]

    world.run()
    assert written() == [("platform", "on-call")] * 2
    world.settings = plain
    report = world.run()
    assert written() == [(None, None)] * 2
    assert not report.rolled_out


def test_a_second_run_with_the_same_token_writes_only_its_time(world: World) -> None:
    world.registry.valid_for = timedelta(hours=12)
    world.run()
    world.cluster.writes.clear()
    world.registry.valid_for -= world.clock.now() - STARTED_AT
    report = world.run()
    assert world.cluster.writes == ["Secret aws-registry"]
    assert report.changed == ("Secret aws-registry",)
    assert not report.rolled_out


def test_a_new_token_changes_the_secret_and_rolls_nothing(world: World) -> None:
    world.run()
    world.cluster.writes.clear()
    world.registry.leak_check = FakeRegistry().leak_check
    report = world.run()
    assert world.cluster.writes == ["Secret aws-registry"]
    assert not report.rolled_out
    assert world.auths()[HOST]["auth"] == world.registry.leak_check.authorization


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
    assert tuple(world.auths()) == report.hosts
    assert sorted(world.registry.asked) == sorted(report.hosts)


def test_a_forced_rollout_restarts_the_pods_although_nothing_changed(world: World) -> None:
    world.run()
    at = world.clock.now()
    assert world.run(Request(force_rollout=True)).rolled_out
    assert world.annotations()[objects.RESTARTED_AT] == f"{at:%FT%TZ}"


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
    assert world.annotations()[objects.CACHE_PURGED_AT] == f"{at:%FT%TZ}"
    assert objects.RESTARTED_AT not in world.annotations()


def test_a_run_after_a_purge_neither_repeats_nor_undoes_it(world: World) -> None:
    world.run(Request(purge_cache=True))
    purged = world.annotations()
    report = world.run()
    assert (report.cache_purged, report.rolled_out) == (False, False)
    assert world.annotations() == purged


def test_a_forced_rollout_after_a_purge_keeps_the_record_of_the_purge(world: World) -> None:
    world.run(Request(purge_cache=True))
    purged_at = world.annotations()[objects.CACHE_PURGED_AT]
    report = world.run(Request(force_rollout=True))
    assert (report.cache_purged, report.rolled_out) == (False, True)
    assert world.annotations()[objects.CACHE_PURGED_AT] == purged_at


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
    assert (report.pods_ready, report.pods_wanted) == (2, 2)
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
        (lambda w: w.cluster.refusing.add("Secret"), ClusterError, "forbids"),
    ],
    ids=["no token", "token refused", "Secret refused"],
)
def test_what_fails_before_the_first_write_leaves_the_cluster_untouched(
    world: World, spoil: Callable[[World], None], error: type[FrontdoorError], message: str
) -> None:
    world.run()
    before = world.auths()
    world.cluster.writes.clear()
    world.registry.leak_check = FakeRegistry().leak_check
    spoil(world)
    with pytest.raises(error, match=message):
        world.run()
    assert world.cluster.writes == []
    assert world.auths() == before


def test_a_token_that_expires_before_the_second_run_from_now_is_not_used(world: World) -> None:
    world.registry.valid_for = world.settings.refresh.schedule.longest_until(2) - timedelta(minutes=1)
    with pytest.raises(RegistryError):
        world.run()


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("{{ domian }}", "line 1: the name 'domian' is unknown"),
        ("# {{ domain }}\nadd_header X-Debug $ecr_authorization;", r"line 2 .*\(ecr_authorization\)"),
        # Checked before it is rendered.
        ("$ecr_authorization {{ domian }}", r"line 1 .*\(ecr_authorization\)"),
    ],
    ids=["unknown name", "credential", "both"],
)
def test_a_template_with_a_mistake_fails_the_run_after_the_secret_is_written(
    world: World, text: str, mistake: str
) -> None:
    world.run()
    world.cluster.writes.clear()
    world.registry.leak_check = FakeRegistry().leak_check
    world.edit_template(text)
    with pytest.raises(TemplateError, match=mistake) as caught:
        world.run()
    assert world.cluster.writes == ["Secret aws-registry"]
    assert world.auths()[HOST]["auth"] == world.registry.leak_check.authorization
    assert isinstance(caught.value, UnrenderedTemplateError)
    assert caught.value.report.changed == ("Secret aws-registry",)
    assert caught.value.report.config_sha256 is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda w: w.cluster.create(template(w.settings, key="other.conf")),
        lambda w: w.cluster.delete("ConfigMap", w.settings.names.template_config_map),
    ],
    ids=["no key", "no ConfigMap"],
)
def test_a_missing_template_fails_the_run_after_the_secret_is_written(
    world: World, spoil: Callable[[World], None]
) -> None:
    world.run()
    world.cluster.writes.clear()
    world.registry.leak_check = FakeRegistry().leak_check
    spoil(world)
    with pytest.raises(UnrenderedTemplateError) as caught:
        world.run()
    assert world.cluster.writes == ["Secret aws-registry"]
    assert world.auths()[HOST]["auth"] == world.registry.leak_check.authorization
    assert caught.value.report.changed == ("Secret aws-registry",)
    assert caught.value.report.config_sha256 is None
    assert isinstance(caught.value.__cause__, ClusterError)


def test_a_dry_run_with_a_template_that_does_not_render_writes_nothing(world: World) -> None:
    world.edit_template("{{ domian }}")
    with pytest.raises(TemplateError):
        world.run(Request(dry_run=True))
    assert world.cluster.writes == []


OTHER_HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.fixture
def two_regions() -> World:
    """A front door of two regions in use, whose next tokens are others."""
    world = installed(World(parse_toml(TWO_ACCOUNTS, "the test's settings")))
    world.run()
    world.cluster.writes.clear()
    world.registry.leak_check = FakeRegistry().leak_check
    return world


@pytest.mark.parametrize("fail", [lambda r: r.failing.add("eu-west-1"), lambda r: r.refusing.add(OTHER_HOST)])
def test_a_failing_region_keeps_its_token_and_the_other_regions_get_a_new_one(
    two_regions: World, fail: Callable[[FakeRegistry], None]
) -> None:
    world = two_regions
    before = world.auths()
    fail(world.registry)
    with pytest.raises(StaleRegionError, match="eu-west-1") as caught:
        world.run()
    after = world.auths()
    assert list(after) == list(before)
    assert after.pop(OTHER_HOST) == before.pop(OTHER_HOST)
    assert {entry["auth"] for entry in after.values()} == {world.registry.leak_check.authorization}
    assert caught.value.report.stale_regions == ("eu-west-1",)
    assert "keep their earlier token" in str(caught.value)
    assert world.cluster.writes == ["Secret aws-registry"]


def test_the_first_expiry_of_a_run_with_a_failing_region_is_that_of_the_earlier_token(two_regions: World) -> None:
    world = two_regions
    world.clock.sleep(3600)
    world.clock.begin_invocation()
    world.registry.failing.add("eu-west-1")
    with pytest.raises(StaleRegionError) as caught:
        world.run()
    assert caught.value.report.expires_at == STARTED_AT + timedelta(hours=12)
    assert world.cluster.read_expiry() == STARTED_AT + timedelta(hours=12)
    tokens = world.cluster.read_tokens()
    assert tokens[OTHER_HOST].expires_at < tokens[HOST].expires_at


def test_an_earlier_token_that_has_expired_is_dropped_and_the_configuration_stays(two_regions: World) -> None:
    world = two_regions
    world.clock.sleep(13 * 3600)
    world.clock.begin_invocation()
    world.edit_template("# edited")
    world.registry.failing.add("eu-west-1")
    with pytest.raises(StaleRegionError, match="123456789012 in eu-west-1 has no valid one") as caught:
        world.run()
    assert OTHER_HOST not in world.auths()
    assert world.cluster.writes == ["Secret aws-registry"]
    assert caught.value.report.expires_at == world.clock.now()


FIPS_HOST = "123456789012.dkr.ecr-fips.ap-southeast-2.amazonaws.com"


def changed_host(world: World, account: str = "123456789012") -> World:
    """The same cluster with settings that name another host for the registry of an account in ap-southeast-2."""
    registries = tuple(
        r.model_copy(update={"endpoint": FIPS_HOST}) if (r.account, r.region) == (account, "ap-southeast-2") else r
        for r in world.settings.registries
    )
    world.settings = world.settings.model_copy(update={"registries": registries})
    return world


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        pytest.param(lambda w: w.registry.refusing.add(FIPS_HOST), StaleRegionError, id="the new host refuses"),
        pytest.param(lambda w: w.edit_template("{{ domian }}"), UnrenderedTemplateError, id="broken template"),
        pytest.param(
            lambda w: setattr(w.cluster, "rolls_in_seconds", None), RolloutStuckError, id="stuck rollout, rolled back"
        ),
    ],
)
def test_a_host_that_the_pods_still_use_keeps_its_token_when_the_run_with_another_host_fails(
    two_regions: World, spoil: Callable[[World], None], error: type[Exception]
) -> None:
    world = changed_host(two_regions)
    before = world.auths()[HOST]
    spoil(world)
    with pytest.raises(error):
        world.run()
    assert world.auths()[HOST] == before
    assert HOST in str(world.cluster.read_configuration())


def test_the_secret_says_that_a_registry_is_without_a_token_as_the_report_does(two_regions: World) -> None:
    world = changed_host(two_regions)
    world.registry.refusing.add(FIPS_HOST)
    with pytest.raises(StaleRegionError) as caught:
        world.run()
    assert caught.value.report.expires_at == world.clock.now()
    assert world.cluster.read_expiry() == world.clock.now()


@pytest.mark.parametrize(
    "spoil", [lambda w: w.edit_template("{{ domian }}"), lambda w: setattr(w.cluster, "rolls_in_seconds", None)]
)
def test_a_message_about_tokens_names_the_regions_that_have_no_new_one(
    two_regions: World, spoil: Callable[[World], None]
) -> None:
    world = two_regions
    world.edit_template("# edited")
    world.registry.failing.add("eu-west-1")
    spoil(world)
    with pytest.raises(ReportedError, match="new, except those of eu-west-1"):
        world.run()


def test_a_region_that_fails_in_the_first_run_of_all_does_not_stop_the_token_of_the_other() -> None:
    world = installed(World(parse_toml(TWO_ACCOUNTS, "the test's settings")))
    world.registry.failing.add("eu-west-1")
    with pytest.raises(StaleRegionError):
        world.run()
    assert world.cluster.writes == ["Secret aws-registry"]
    assert HOST in world.auths()


def test_a_failing_region_does_not_stop_a_rollout(two_regions: World) -> None:
    world = two_regions
    world.edit_template("# edited")
    world.registry.failing.add("eu-west-1")
    with pytest.raises(StaleRegionError) as caught:
        world.run()
    assert caught.value.report.rolled_out
    assert world.cluster.read_configuration() == "# edited"


def test_when_every_region_fails_nothing_is_written(two_regions: World) -> None:
    world = two_regions
    world.registry.failing |= {"eu-west-1", "ap-southeast-2"}
    with pytest.raises(RegistryError) as caught:
        world.run()
    assert not isinstance(caught.value, StaleRegionError)
    assert all(f"ECR in {region} gives no token" in str(caught.value) for region in world.registry.failing)
    assert world.cluster.writes == []


def test_the_error_of_the_only_region_is_raised_with_its_cause(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    failure = RegistryError("ECR gives no token")

    def fail(*_: object, **__: object) -> Credential:
        raise failure

    monkeypatch.setattr(world.registry, "fetch_credential", fail)
    with pytest.raises(RegistryError) as caught:
        world.run()
    assert caught.value is failure


def test_a_failing_region_recovers_with_the_next_run(two_regions: World) -> None:
    world = two_regions
    world.registry.failing.add("eu-west-1")
    with pytest.raises(StaleRegionError):
        world.run()
    world.clock.begin_invocation()
    world.registry.failing.clear()
    assert world.run().stale_regions == ()
    assert {entry["auth"] for entry in world.auths().values()} == {world.registry.leak_check.authorization}


def test_no_error_of_a_failing_region_holds_a_token(two_regions: World) -> None:
    world = two_regions
    world.registry.failing.add("eu-west-1")
    with pytest.raises(StaleRegionError) as caught:
        world.run()
    assert world.registry.leak_check.leaks(shown_with_locals(caught.value)) == []


def test_a_host_that_cannot_be_asked_is_a_warning(world: World) -> None:
    world.registry.unreachable.add(HOST)
    report = world.run()
    assert report.warnings == (f"{HOST} could not be asked",)
    assert "Secret aws-registry" in report.changed


def test_a_configuration_that_cannot_be_written_rolls_nothing(world: World) -> None:
    world.cluster.refusing.add("ConfigMap")
    with pytest.raises(UnfinishedError) as caught:
        world.run()
    assert world.cluster.writes == ["Secret aws-registry"]
    assert caught.value.report.changed == ("Secret aws-registry",)
    assert caught.value.report.config_sha256 is None


def test_a_run_that_loses_the_cluster_while_it_waits_reports_what_it_wrote(world: World) -> None:
    world.clock.meanwhile = lambda: setattr(world.cluster, "reads_left", 0)
    with pytest.raises(UnfinishedError) as caught:
        world.run()
    assert caught.value.report.changed == tuple(world.cluster.writes)
    assert caught.value.report.rolled_out


def test_a_cluster_that_refuses_the_secret_has_no_report(world: World) -> None:
    world.cluster.refusing.add("Secret")
    with pytest.raises(ClusterError) as caught:
        world.run()
    assert not isinstance(caught.value, ReportedError)
    assert world.cluster.writes == []


@pytest.mark.parametrize(
    ("spoil", "error", "written"),
    [
        (lambda w: w.edit_template("{{ domian }}"), UnrenderedTemplateError, "Secret"),
        (lambda w: w.registry.failing.add("eu-west-1"), StaleRegionError, "other regions"),
        (lambda w: setattr(w, "resolver", "fd12:3456::a"), Ipv6Error, "Secret"),
    ],
    ids=["template", "region", "IPv6"],
)
def test_the_message_of_a_failed_run_names_what_it_wrote_and_of_a_dry_run_that_it_wrote_nothing(
    two_regions: World, spoil: Callable[[World], None], error: type[ReportedError], written: str
) -> None:
    spoil(two_regions)
    with pytest.raises(error) as caught:
        two_regions.run(Request(dry_run=True))
    assert two_regions.cluster.writes == []
    assert caught.value.report.dry_run
    assert "dry run wrote nothing" in str(caught.value)
    assert written in str(caught.value)
    with pytest.raises(error) as caught:
        two_regions.run()
    assert "dry run" not in str(caught.value)
    assert written in str(caught.value)


def test_another_managers_change_is_taken_back_and_reported(world: World) -> None:
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
        "Deployment aws-registry-proxy does not exist yet, so nothing was rolled out. Fix: apply the charts",
    )


def test_a_stuck_rollout_is_an_error_that_says_why_and_carries_the_report(world: World) -> None:
    world.cluster.rolls_in_seconds = None
    with pytest.raises(RolloutStuckError) as caught:
        world.run()
    cause, state = str(caught.value).split(". ", 1)
    assert cause == "pod aws-registry-proxy-x, container nginx: CrashLoopBackOff"
    assert "2 of 2 pods serve" in state
    assert "ConfigMap aws-registry-proxy-config keeps the new configuration" in state
    assert "ConfigMap aws-registry-proxy-tpl" in state.partition("Fix: ")[2]
    assert state.endswith("\n  nginx: [emerg] unknown directive")
    assert caught.value.report.rolled_out
    assert sum(world.clock.slept) == pytest.approx(world.settings.refresh.rollout_timeout_seconds)


@pytest.mark.parametrize(
    ("explained", "cause", "details"),
    [
        ("the Deployment is gone.", "the Deployment is gone", ""),
        (
            "pod x: CrashLoopBackOff\n  first line\n  last line",
            "pod x: CrashLoopBackOff",
            "\n  first line\n  last line",
        ),
    ],
)
def test_the_error_of_a_stuck_rollout_begins_with_the_cause_and_ends_with_the_log_of_the_pod(
    world: World, monkeypatch: pytest.MonkeyPatch, explained: str, cause: str, details: str
) -> None:
    world.cluster.rolls_in_seconds = None
    monkeypatch.setattr(world.cluster, "explain_stuck_rollout", lambda: explained)
    with pytest.raises(RolloutStuckError) as caught:
        world.run()
    assert str(caught.value).startswith(f"{cause}. The rollout")
    assert str(caught.value).endswith(f"run again.{details}")


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


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize(
    ("stamped", "rolled_out"),
    [
        (("metadata", "annotations", "example.net/seen-at"), False),
        (("spec", "template", "metadata", "annotations", "example.net/seen-at"), True),
    ],
    ids=["of the Deployment", "of its pods"],
)
def test_an_annotation_that_a_webhook_stamps_is_a_rollout_only_where_it_is_one_of_the_pods(
    world: World, stamped: tuple[str, ...], *, rolled_out: bool, dry_run: bool
) -> None:
    world.run()
    world.cluster.stamps = stamped
    report = world.run(Request(dry_run=dry_run))
    assert "Deployment aws-registry-proxy" in report.changed
    assert report.rolled_out is rolled_out


def test_pods_killed_since_the_run_before_are_counted_and_named_even_if_the_rollout_is_stuck(world: World) -> None:
    gap = world.settings.refresh.schedule.longest_until(1)
    now = world.clock.now()
    world.cluster.killed = [(now - gap - timedelta(seconds=1), "old"), (now - gap, "evicted"), (now, "out of memory")]
    world.cluster.rolls_in_seconds = None
    with pytest.raises(RolloutStuckError) as caught:
        world.run()
    assert (caught.value.report.pods_killed, caught.value.report.warnings) == (2, ("evicted", "out of memory"))


def test_a_run_that_may_not_list_the_pods_succeeds_and_counts_none(world: World) -> None:
    world.cluster.killed = None
    report = world.run()
    assert report.pods_killed is None
    assert report.warnings == ("evictions and memory limits are not seen: Kubernetes forbids the Lambda to list pods",)


def test_a_deployment_scaled_to_zero_is_a_warning(world: World) -> None:
    world.run()
    world.cluster.scale(0)
    report = world.run(Request(force_rollout=True))
    assert (report.pods_ready, report.pods_wanted, report.rolled_out) == (0, 0, False)
    assert report.warnings == (
        "Deployment aws-registry-proxy is scaled to zero, so no pod serves. Fix: kubectl scale it up again",
    )


@pytest.mark.parametrize("kind", ["Secret", "ConfigMap", "Deployment"])
def test_a_failed_write_leaves_no_token_in_a_traceback_with_locals(world: World, kind: str) -> None:
    world.cluster.refusing.add(kind)
    with pytest.raises(ClusterError) as caught:
        world.run()
    shown = shown_with_locals(caught.value)
    assert "secret = {" in shown
    assert world.registry.leak_check.leaks(shown) == []


def test_no_report_or_error_or_configuration_holds_the_token(world: World) -> None:
    world.cluster.rolls_in_seconds = None
    with pytest.raises(RolloutStuckError) as caught:
        world.run()
    found = world.cluster.read("ConfigMap", "aws-registry-proxy-config")
    workload = world.cluster.read("Deployment", "aws-registry-proxy")
    emitted = f"{caught.value!r} {caught.value.report} {json.dumps(caught.value.report.to_json())} {found} {workload}"
    assert world.registry.leak_check.leaks(emitted) == []


def test_a_run_in_an_ipv6_cluster_fails_after_its_work_where_no_ipv6_client_is_let_in(world: World) -> None:
    world.resolver = "[fd12:3456::a]"
    with pytest.raises(Ipv6Error, match=r"the cluster's DNS address = \[fd12:3456::a\] is IPv6") as caught:
        world.run()
    assert world.auths() == {HOST: {"auth": world.registry.leak_check.authorization}}
    assert caught.value.report.rolled_out


def test_a_run_in_an_ipv6_cluster_succeeds_with_an_ipv6_range_of_clients() -> None:
    ranges = SETTINGS.replace("proxy = {", 'proxy = { client_cidrs = ["fd00:1::/32"],')
    assert ranges != SETTINGS
    world = installed(World(parse_toml(ranges, "the test's settings"), resolver="[fd12:3456::a]"))
    assert world.run().rolled_out


def test_a_run_in_an_ipv6_cluster_fails_behind_an_nlb_whatever_the_ranges_of_clients() -> None:
    """The load balancer has only IPv4 addresses."""
    example = (ROOT / "examples" / "nlb.toml").read_text("utf-8")
    ranges = example.replace("client_cidrs = [", 'client_cidrs = ["fd00:1::/32", ')
    assert ranges != example
    world = installed(World(parse_toml(ranges, "the test's settings"), resolver="[fd12:3456::a]"))
    with pytest.raises(Ipv6Error, match=r"proxy\.exposure\.kind") as caught:
        world.run()
    assert caught.value.report.rolled_out
