"""What becomes of the configuration when the pods do not become ready with it."""

import json
from dataclasses import replace
from typing import Any

import pytest

from lambda_fn.contract import objects
from lambda_fn.contract.errors import ClusterError
from lambda_fn.job import manifests
from lambda_fn.job.event import Request
from lambda_fn.job.ports import Workload
from lambda_fn.job.report import Report, RolloutReplacedError, RolloutStuckError
from lambda_fn.job.undo import Before, obstacle
from tests.contract.cluster import deployment, objects_of
from tests.fakes.clock import STARTED_AT, FakeClock
from tests.fakes.registry import FakeRegistry
from tests.fakes.world import World, installed

BAD = "no_such_directive on;"


@pytest.fixture
def world() -> World:
    """A front door in use, whose template an operator has just broken."""
    world = installed(World())
    world.run()
    return broken(world)


def broken(world: World) -> World:
    world.edit_template(BAD)
    world.cluster.rolls_in_seconds = None
    world.cluster.writes.clear()
    return world


def stuck(world: World, request: Request | None = None) -> RolloutStuckError:
    with pytest.raises(RolloutStuckError) as caught:
        world.run(request)
    return caught.value


def state(world: World) -> tuple[str | None, dict[str, str]]:
    return world.cluster.read_configuration(), world.annotations()


def test_a_configuration_that_no_pod_starts_with_is_taken_back(world: World) -> None:
    before = state(world)
    error = stuck(world)
    assert state(world) == before
    workload = world.cluster.read_workload()
    assert workload is not None
    assert workload.complete
    assert "ConfigMap aws-registry-proxy-config and the Deployment have the earlier configuration again." in str(error)


def test_the_deployment_goes_back_before_the_config_map_does(world: World) -> None:
    stuck(world)
    there = ["ConfigMap aws-registry-proxy-config", "Deployment aws-registry-proxy"]
    assert world.cluster.writes == ["Secret aws-registry", *there, *reversed(there)]


def test_the_new_token_stays(world: World) -> None:
    world.registry.leak_check = FakeRegistry().leak_check
    stuck(world)
    assert [auth["auth"] for auth in world.auths().values()] == [world.registry.leak_check.authorization]


def test_the_report_says_what_is_so_afterwards(world: World) -> None:
    report = stuck(world, Request(purge_cache=True)).report
    assert (report.rolled_out, report.undone, report.cache_purged) == (True, True, False)
    assert (report.pods_ready, report.pods_wanted) == (2, 2)
    assert report.changed == ("Secret aws-registry",)
    assert report.config_sha256 == manifests.digest(BAD)


def test_the_report_counts_the_pods_after_the_undo(world: World) -> None:
    world.cluster.meanwhile = lambda: world.cluster.scale(3)
    report = stuck(world).report
    assert (report.undone, report.pods_ready, report.pods_wanted) == (True, 3, 3)


def test_the_instants_of_earlier_rollouts_come_back_and_those_of_this_run_go() -> None:
    world = installed(World())
    world.run(Request(force_rollout=True))
    before = world.annotations()
    assert objects.RESTARTED_AT in before
    stuck(broken(world), Request(force_rollout=True, purge_cache=True))
    assert world.annotations() == before


def test_each_run_tries_again_and_fails_again_until_the_template_is_corrected(world: World) -> None:
    before = state(world)
    for _ in range(3):
        world.clock.begin_invocation()
        assert stuck(world).report.undone
        assert state(world) == before
    world.clock.begin_invocation()
    world.edit_template("# correct")
    world.cluster.rolls_in_seconds = 20
    assert world.run().rolled_out
    assert world.cluster.read_configuration() == "# correct"


def test_pods_that_still_run_are_not_waited_for() -> None:
    world = installed(World(clock=FakeClock(remaining_seconds=1000)))
    world.run()
    waited = sum(world.clock.slept)
    stuck(broken(world))
    assert sum(world.clock.slept) - waited == pytest.approx(world.settings.refresh.rollout_timeout_seconds)


def test_an_earlier_revision_that_does_not_come_back_at_once_is_waited_for_and_then_reported(world: World) -> None:
    world.clock.begin_invocation()
    world.cluster.forgets_revisions = True
    waited = sum(world.clock.slept)
    error = stuck(world)
    assert "earlier configuration again, but not all its pods serve yet: 2 of 2." in str(error)
    assert sum(world.clock.slept) - waited == pytest.approx(world.settings.refresh.rollout_timeout_seconds + 30)


def test_a_slow_rollout_whose_first_new_pod_is_ready_is_left_to_go_on(world: World) -> None:
    world.cluster.new_pods_ready = 1
    error = stuck(world)
    assert "keeps the new configuration, because a new pod is ready already" in str(error)
    assert world.cluster.read_configuration() == BAD
    assert not error.report.undone


@pytest.mark.parametrize("request_", [Request(force_rollout=True), Request(purge_cache=True)])
def test_a_restart_that_no_pod_survives_is_left_to_go_on_for_the_configuration_is_good(request_: Request) -> None:
    world = installed(World())
    world.run()
    world.cluster.rolls_in_seconds = None
    error = stuck(world, request_)
    assert "keeps the new configuration, because the configuration is the same as before" in str(error)
    assert error.report.cache_purged == request_.purge_cache
    assert {objects.RESTARTED_AT, objects.CACHE_PURGED_AT} & set(world.annotations())


def test_what_did_not_work_before_is_not_put_back(world: World) -> None:
    world.cluster.create(with_image("registry.frontdoor.test/nginx:2"))
    error = stuck(world)
    assert "keeps the new configuration, because no pod was ready with the earlier configuration" in str(error)
    assert world.cluster.read_configuration() == BAD


def test_charts_that_are_applied_while_the_run_waits_do_not_get_the_earlier_configuration(world: World) -> None:
    world.cluster.meanwhile = lambda: world.cluster.create(with_image("registry.frontdoor.test/nginx:2"))
    error = stuck(world)
    assert (
        "keeps the new configuration, because another writer, such as a deployment of the charts, has changed the pods"
        in str(error)
    )
    assert state(world) == (BAD, {objects.CONFIG_SHA256: manifests.digest(BAD)})


def with_image(image: str) -> dict[str, Any]:
    """The chart's Deployment, upgraded."""
    manifest = deployment(World().settings)
    manifest["spec"]["template"]["spec"]["containers"][0]["image"] = image
    return manifest


def test_a_text_that_the_pods_were_not_rolled_out_with_is_not_put_back(world: World) -> None:
    world.cluster.edit("ConfigMap", "aws-registry-proxy-config", ("data", "nginx.conf"), "# by hand")
    error = stuck(world)
    assert "keeps the new configuration, because the pods do not run what it held before" in str(error)
    assert world.cluster.read_configuration() == BAD


@pytest.mark.parametrize("request_", [Request(), Request(force_rollout=True)])
def test_a_rollout_that_cannot_be_started_leaves_the_text_that_the_pods_run(world: World, request_: Request) -> None:
    before = state(world)
    world.cluster.refusing.add("Deployment")
    with pytest.raises(ClusterError, match=r"^Kubernetes forbids the Lambda to patch Deployment$"):
        world.run(request_)
    assert state(world) == before


def test_a_rollout_that_was_started_though_the_answer_is_an_error_keeps_its_text(world: World) -> None:
    world.cluster.unanswered.add("Deployment")
    with pytest.raises(ClusterError, match=r"^Kubernetes does not answer a patch of Deployment$"):
        world.run()
    assert state(world) == (BAD, {objects.CONFIG_SHA256: manifests.digest(BAD)})


def test_a_text_that_cannot_be_put_back_is_reported_beside_the_failed_write(world: World) -> None:
    world.cluster.refusing.add("Deployment")
    world.cluster.reads_left = 1
    with pytest.raises(ClusterError) as caught:
        world.run()
    assert str(caught.value) == (
        "Kubernetes forbids the Lambda to patch Deployment. Putting back the earlier configuration failed, too: "
        "Kubernetes does not answer. Drain no node until it is fixed."
    )
    assert caught.value.__cause__ is not None
    assert str(caught.value.__cause__.__cause__) == "Kubernetes forbids the Lambda to patch Deployment"
    assert world.cluster.read_configuration() == BAD


def test_a_text_that_the_pods_do_not_run_is_not_put_back_when_the_rollout_cannot_be_started(world: World) -> None:
    world.cluster.edit("ConfigMap", "aws-registry-proxy-config", ("data", "nginx.conf"), "# by hand")
    world.cluster.refusing.add("Deployment")
    with pytest.raises(ClusterError, match="forbids"):
        world.run()
    assert world.cluster.read_configuration() == BAD


def test_a_dry_run_whose_rollout_is_refused_writes_nothing(world: World) -> None:
    world.cluster.refusing.add("Deployment")
    with pytest.raises(ClusterError, match="forbids"):
        world.run(Request(dry_run=True))
    assert world.cluster.writes == []


def test_what_another_run_has_rolled_out_since_is_left_alone(world: World) -> None:
    def another_run() -> None:
        for manifest in (
            objects_of(world.settings).config_map("# newer"),
            objects_of(world.settings).rollout({objects.CONFIG_SHA256: manifests.digest("# newer")}),
        ):
            world.cluster.apply(manifest, dry_run=False)

    world.cluster.meanwhile = another_run
    error = stuck(world)
    assert "keeps the new configuration, because another writer has changed the rollout since" in str(error)
    assert state(world) == ("# newer", {objects.CONFIG_SHA256: manifests.digest("# newer")})


def test_a_run_that_another_one_undoes_meanwhile_does_not_call_that_its_success(world: World) -> None:
    earlier = world.annotations()

    def undone_by_another_run() -> None:
        world.cluster.apply(objects_of(world.settings).rollout(earlier), dry_run=False)

    world.clock.meanwhile = undone_by_another_run
    with pytest.raises(RolloutReplacedError, match=r"another writer changed the rollout.*Fix: run again") as caught:
        world.run()
    assert (caught.value.report.rolled_out, caught.value.report.pods_ready) == (True, 2)


@pytest.mark.parametrize(
    ("kind", "left"),
    [("Deployment", (BAD, manifests.digest(BAD))), ("ConfigMap", (BAD, None))],
    ids=["nothing is put back", "only the Deployment is"],
)
def test_an_undo_that_fails_is_reported_beside_the_cause_of_the_stuck_rollout(
    world: World, kind: str, left: tuple[str, str | None]
) -> None:
    before = world.annotations()
    world.cluster.meanwhile = lambda: world.cluster.refusing.add(kind)
    error = stuck(world)
    assert "unknown directive" in str(error)
    assert (
        f"Putting back the earlier configuration failed, too: Kubernetes forbids the Lambda to "
        f"patch {kind}. Drain no node"
    ) in str(error)
    assert isinstance(error.__cause__, ClusterError)
    assert not error.report.undone
    assert world.cluster.read_configuration() == left[0]
    assert world.annotations()[objects.CONFIG_SHA256] == (left[1] or before[objects.CONFIG_SHA256])


def test_an_undo_is_no_failed_one_when_it_cannot_be_seen_how_it_goes_on(world: World) -> None:
    def unreadable_after_the_next() -> None:
        world.cluster.reads_left = 1

    before = state(world)
    world.cluster.meanwhile = unreadable_after_the_next
    error = stuck(world)
    assert (
        "and the Deployment have the earlier configuration again; whether all its pods serve is unknown: "
        "Kubernetes does not answer."
    ) in str(error)
    assert "Drain no node" not in str(error)
    assert isinstance(error.__cause__, ClusterError)
    assert error.report.undone
    world.cluster.reads_left = None
    assert state(world) == before


def test_a_deployment_that_is_gone_meanwhile_is_reported(world: World) -> None:
    world.cluster.meanwhile = lambda: world.cluster.delete("Deployment", "aws-registry-proxy")
    error = stuck(world)
    assert "keeps the new configuration, because the Deployment is gone" in str(error)
    assert error.report.config_sha256 == manifests.digest(BAD)


def test_no_error_of_an_undo_holds_the_token(world: World) -> None:
    world.cluster.meanwhile = lambda: world.cluster.refusing.add("ConfigMap")
    error = stuck(world)
    emitted = f"{error!r} {error.__cause__!r} {json.dumps(error.report.to_json())}"
    assert world.registry.leak_check.leaks(emitted) == []


NEW, OLD = manifests.digest("new"), manifests.digest("old")
REPORT = Report(dry_run=False, hosts=("h",), expires_at=STARTED_AT, config_sha256=NEW, rolled_out=True)
NOW = Workload(
    wanted=2,
    ready=2,
    updated_ready=0,
    complete=False,
    charts_sha256="c",
    annotations={objects.CONFIG_SHA256: NEW},
)
WAS = replace(NOW, updated_ready=1, annotations={objects.CONFIG_SHA256: OLD, "prometheus.io/scrape": "true"})


def test_one_ready_pod_is_enough_to_trust_the_configuration_from_before() -> None:
    assert obstacle(Before(WAS, "old"), NOW, REPORT) is None


@pytest.mark.parametrize(
    ("before", "workload", "report", "reason"),
    [
        (Before(WAS, "old"), NOW, replace(REPORT, rolled_out=False), "this run did not start"),
        (Before(WAS, "old"), replace(NOW, annotations={}), REPORT, "another writer has changed the rollout"),
        (Before(WAS, "old"), replace(NOW, charts_sha256="d"), REPORT, "has changed the pods since"),
        (Before(WAS, "old"), replace(NOW, updated_ready=1), REPORT, "a new pod is ready"),
        (Before(None, "old"), NOW, REPORT, "there was no configuration"),
        (Before(WAS, None), NOW, REPORT, "there was no configuration"),
        (Before(replace(WAS, annotations={}), "old"), NOW, REPORT, "there was no configuration"),
        (Before(NOW, "new"), NOW, REPORT, "the same as before"),
        (Before(WAS, "other"), NOW, REPORT, "the pods do not run"),
        (Before(replace(WAS, updated_ready=0), "old"), NOW, REPORT, "no pod was ready"),
    ],
)
def test_nothing_is_put_back_where_that_would_not_help(
    before: Before, workload: Workload, report: Report, reason: str
) -> None:
    assert reason in str(obstacle(before, workload, report))
