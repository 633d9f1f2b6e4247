"""A short benchmark: every contestant serves the right bytes and can be measured."""

from collections.abc import Iterator

import pytest

from testbed.bench import capabilities, crowd
from testbed.bench.content import LAYERS, blob_path
from testbed.bench.contestants import Direct, Distribution, Frontdoor, Limit, Plain, WholeFile
from testbed.bench.measures import bodies, coalescing, cold_pull, crowds, daemons, pulls, slow_clients, streams
from testbed.bench.measures.load import loaded
from testbed.bench.plan import MIB, Plan
from testbed.bench.samples import Samples
from testbed.bench.stage import Stage, staged
from testbed.sandbox.world import World

SMALL = Plan(
    name="small",
    rounds=1,
    stream_rounds=1,
    layer_bytes=1000,
    large_bytes=5 * MIB,
    huge_bytes=0,
    concurrent_clients=(3,),
    cold_bytes=64 * MIB,
    cold_clients=(1, 3),
    crowd_clients=20,
    application_layer_bytes=300_000,
    slow_clients=30,
    slow_seconds=2,
    load_seconds=1,
)


@pytest.fixture(scope="module")
def stage(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Every contestant, checked with all content over HTTP and TLS."""
    with staged(world, SMALL, tmp_path_factory.mktemp("bench")) as made:
        yield made


def test_concurrent_clients_on_a_cold_blob_give_different_s3_bytes_by_contestant(stage: Stage) -> None:
    coalescing.measure(stage, 0)
    measured = Samples(stage.samples)
    from_s3 = {
        c.name: measured.values(c.name, "coalescing", "3 clients", "s3_bytes_ratio").get(0) for c in stage.contestants
    }
    assert from_s3[Plain.name] == 3, "each client goes to S3"
    assert from_s3[WholeFile.name] == 1
    assert from_s3[Frontdoor.name] == 1


def test_a_cold_layer_is_read_once_over_several_connections(stage: Stage) -> None:
    cold_pull.measure(stage, 0)
    measured = Samples(stage.samples)
    alone, together = cold_pull.case(1, 64 * MIB), cold_pull.case(3, 5 * MIB)
    for case, direct in ((alone, 1), (together, 3)):
        figures = {
            name: [measured.values(name, cold_pull.MEASURE, case, m)[0] for m in ("s3_bytes_ratio", "ecr_requests")]
            for name in (Direct.name, Frontdoor.name)
        }
        assert figures == {Direct.name: [direct, direct], Frontdoor.name: [1, 1]}
    assert measured.values(Frontdoor.name, cold_pull.MEASURE, alone, "s3_connections")[0] > 4


def test_pulls_are_counted_at_ecr(stage: Stage) -> None:
    pulls.measure_at_once(stage, 0)
    measured = Samples(stage.samples)
    by_digest = {
        c.name: measured.values(c.name, "pull", "warm, by digest", "ecr_requests").get(0) for c in stage.contestants
    }
    assert by_digest[Frontdoor.name] == 0
    assert (by_digest[Plain.name] or 0) >= 7, "the manifest and six blobs"


def test_docker_and_containerd_pull_warm_without_blob_requests_to_ecr(stage: Stage) -> None:
    daemons.measure(stage, 0)
    measured = Samples(stage.samples)
    for client in ("docker", "containerd"):
        counted = {
            (c.name, case): measured.values(c.name, "daemons", f"{client}, {case}", "ecr_requests").get(0, -1)
            for c in (stage.contestant(Direct), stage.contestant(Frontdoor))
            for case in ("cold", "warm")
        }
        assert counted[Frontdoor.name, "warm"] <= 1
        assert counted[Frontdoor.name, "cold"] <= LAYERS + 3
        assert counted[Direct.name, "warm"] >= LAYERS + 2


def test_serving_a_stream_costs_something(stage: Stage) -> None:
    streams.measure(stage, 0)
    measured = Samples(stage.samples)
    for contestant in (Frontdoor, Distribution):
        memory = measured.spread(contestant.name, "cost", "5 MiB, 8 streams", "peak_megabytes")
        assert memory
        assert memory.median > 1


def test_a_crowd_on_two_pods_costs_ecr_and_s3_as_much_as_one_client_on_each(stage: Stage) -> None:
    crowds.measure(stage, 0)
    measured = Samples(stage.samples)
    for case in (crowds.UNSHAPED, crowds.SHAPED):
        counted = {
            metric: measured.values(Frontdoor.name, "crowd", case, metric).get(0)
            for metric in ("failures", "ecr_requests", "s3_bytes_ratio")
        }
        assert counted["failures"] == 0
        assert (counted["ecr_requests"] or 0) <= crowds.PODS * (LAYERS + 3)
        assert counted["s3_bytes_ratio"] == pytest.approx(1, abs=0.001)


def test_slow_clients_over_tls_hold_memory(stage: Stage) -> None:
    slow_clients.measure(stage, 0)
    measured = Samples(stage.samples)
    for contestant in (Frontdoor, Limit):
        about = (contestant.name, "slow clients", "30 clients")
        assert measured.values(*about, "failures") == {0: 0}
        assert measured.values(*about, "kilobytes_per_connection")[0] > 1


def test_a_body_of_the_size_of_a_socket_buffer_does_not_wait(stage: Stage) -> None:
    """With tcp_nopush it takes 40 ms."""
    bodies.measure(stage, 0)
    measured = Samples(stage.samples)
    for size in ("64 KiB", "96 KiB", "127 KiB"):
        assert measured.values(Frontdoor.name, "bodies", size, "p50_seconds")[0] < 0.02


def test_a_crowd_names_what_its_clients_did_not_get(stage: Stage) -> None:
    crowd.build(stage.world)
    origin = stage.contestant(Frontdoor).origin
    unknown = blob_path(f"sha256:{0:064}")
    got = crowd.pull(stage.world, [origin], [unknown], crowd.Habits(clients=3))
    assert got.failures == [f"{unknown}: status 404"] * 3
    assert got.bytes == 0


def test_a_crowd_reads_at_its_rate_and_leaves_in_time(stage: Stage) -> None:
    crowd.build(stage.world)
    origin = stage.contestant(Frontdoor).secure_origin or ""
    slow = crowd.Habits(clients=3, bytes_per_second=500_000, leave_after_seconds=1)
    got = crowd.pull(stage.world, [origin], [blob_path(stage.content.large)], slow)
    assert got.failures == []
    assert all(1 <= client.seconds < 3 for client in got.clients)
    assert all(500_000 * 0.5 <= client.bytes <= 500_000 * 1.5 for client in got.clients)


def test_a_load_that_is_answered_with_errors_is_a_gap_and_no_figure(stage: Stage) -> None:
    contestant = stage.contestant(Frontdoor)
    of_blob, of_nothing = (f"{contestant.origin}{path}" for path in (blob_path(stage.content.small), "/v2/nothing"))
    assert loaded(stage, contestant, ("requests", "a blob"), of_blob)
    assert loaded(stage, contestant, ("requests", "nothing"), of_nothing) is None
    assert [gap.measure for gap in stage.gaps if "errors" in gap.reason] == ["requests: nothing"]


def test_a_token_of_a_lambda_is_too_long_for_the_plain_configuration(stage: Stage) -> None:
    capabilities.try_all(stage)
    reasons = [gap.reason for gap in stage.gaps if gap.contestant == Plain.name]
    assert any("too long parameter" in reason for reason in reasons), reasons
    assert stage.control.issue_token(stage.world.region).authorization[:40] not in str(stage.gaps)
