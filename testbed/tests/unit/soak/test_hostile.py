"""The attacks of the soak, when one is held off, and what is reported of it."""

from dataclasses import asdict, replace

import pytest

from lambda_fn.settings import parse_toml
from testbed.sandbox import installation
from testbed.sandbox.world import World
from testbed.soak import attack_kinds, flood_requests, hostile_report
from testbed.soak.cases import CASES, Bound, Case, Installation
from testbed.soak.seen import OK, Cost, Pulls, Seen

CHEAP = Cost(ecr_requests=100, ecr_throttled=0, hot_requests=0, s3_bytes=0, most_s3_bytes=None)


def seen(**ended: dict[str, int]) -> Seen:
    found = Seen(peak_bytes=500, kernel_peak_bytes=299)
    for name in ("cached", "uncached", "live", "ready"):
        setattr(found, name, Pulls(ended.get(name, {OK: 100})))
    return found


def test_every_kind_of_attack_is_a_case() -> None:
    assert {case.kind for case in CASES} == {*attack_kinds.KINDS, *flood_requests.KINDS}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind} {case.size}")
def test_a_case_holds_connections_or_keeps_a_rate(case: Case) -> None:
    assert (case.connections > 0, case.rate > 0) == (case.holds_connections, not case.holds_connections)


def test_http2_is_what_speaks_tls() -> None:
    found = {case.kind for case in CASES if case.installation.tls}
    assert found == {name for name, kind in attack_kinds.KINDS.items() if kind.http2}


@pytest.mark.parametrize("attacked", dict.fromkeys(case.installation for case in CASES))
def test_clients_are_known_where_they_are_attacked(attacked: Installation) -> None:
    text = installation.toml(World(), image="example.net/nginx:1", more=attacked.settings)
    settings = parse_toml(text, "a test")
    assert not settings.proxy.exposure.hides_clients(manifests="kubectl")
    assert (settings.proxy.pod_tls_secret is not None) == attacked.tls
    allowed = attacked.ecr_requests_per_second
    assert allowed is None or settings.proxy.ecr_requests_per_second <= allowed


def test_a_smaller_attack_has_a_part_of_the_connections_or_the_rate() -> None:
    case = Case("", "idle", 17_000, rate=300)
    assert case.smaller(4) == replace(case, connections=4250, rate=75)


@pytest.mark.parametrize(
    ("ended", "faults"),
    [
        ({}, []),
        ({"uncached": {OK: 99, "503 blobs": 1}}, []),
        ({"uncached": {OK: 98, "503 blobs": 2}}, ["uncached"]),
        ({"uncached": {OK: 9}}, ["fewer than one uncached pull a second"]),
        ({"cached": {OK: 999, "TimeoutError": 1}}, ["cached"]),
        ({"cached": {}}, ["cached"]),
        ({"live": {OK: 99, "503": 1}}, ["live"]),
        ({"ready": {OK: 99, "503": 1}}, ["ready"]),
    ],
)
def test_an_attack_is_held_off_when_the_others_are_served(ended: dict[str, dict[str, int]], faults: list[str]) -> None:
    assert seen(**ended).faults(1000, 10.5) == faults


def test_memory_stays_below_80_percent_with_the_kernels_part() -> None:
    found = seen()
    found.note_memory(501, 200)
    assert found.faults(1000, 10) == ["memory"]


@pytest.mark.parametrize(
    ("cost", "faults"),
    [
        (CHEAP, []),
        (replace(CHEAP, ecr_throttled=1), ["ecr_throttled"]),
        (replace(CHEAP, hot_requests=1), ["hot_requests"]),
        (replace(CHEAP, s3_bytes=100, most_s3_bytes=100), []),
        (replace(CHEAP, s3_bytes=101, most_s3_bytes=100), ["s3_bytes"]),
        (replace(CHEAP, s3_bytes=101), []),
    ],
)
def test_what_is_hot_costs_nothing_and_the_attack_no_more_than_its_bound(cost: Cost, faults: list[str]) -> None:
    assert cost.faults() == faults


def test_a_bound_grows_with_time() -> None:
    assert Bound(10, at_once=200, a_second=50).most_bytes(4) == 10 * 400


def test_the_table_has_a_row_for_each_attack_with_its_faults() -> None:
    figures = {
        **asdict(seen(uncached={OK: 98, "503 blobs": 2})),
        **asdict(replace(CHEAP, s3_bytes=5_000_000, most_s3_bytes=1)),
        "title": "aborted",
        "size": "5 requests/s",
        "seconds": 10,
        "limit_bytes": 1 << 30,
    }
    held = {**figures, "attacker": {"opened": 5000, "closed": 1, "held_peak": 4000}, "faults": []}
    flood = {**figures, "size": "5 GETs/s", "attacker": {"206": 50, "dropped": 0}, "faults": ["s3_bytes"]}
    assert hostile_report.table([held, flood]).splitlines()[2:] == [
        "| aborted | 5 requests/s | held 4,000, opened 5,000 | 100, 98 of 100; 0.0 s | 10 | 0 of 1,024 MiB |",
        "| aborted | 5 GETs/s | 50 x 206; 5 MB from S3 | 100, 98 of 100; 0.0 s | 10 | 0 of 1,024 MiB **s3_bytes** |",
    ]
