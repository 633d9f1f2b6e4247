"""What a deployment needs, computed from what was measured."""

import pytest

from testbed.bench import sizing, tables
from testbed.bench.samples import Sample, Samples
from testbed.tests.unit.bench.results import results

MEASURED = (
    Sample("frontdoor", "crowd", "each limited to its share", "gigabytes_per_second", 0, 2.0),
    Sample("frontdoor", "cached blobs", "100,000", "peak_megabytes", 0, 60),
    Sample("frontdoor", "slow clients", "3,000 clients", "kilobytes_per_connection", 0, 100),
    Sample("frontdoor", "cold pull", "1 client, 1 GiB", "growth_megabytes_per_gib", 0, 2**30 / 1e9),
)


def test_time_is_that_of_all_bytes_at_the_rate_of_all_pods() -> None:
    measured = sizing.Measured.of(Samples(MEASURED))
    assert measured
    assert measured.row(nodes=1000, image_gigabytes=0.1, pods=2).seconds == 50
    assert measured.row(nodes=1000, image_gigabytes=5, pods=10).seconds == 500


def test_memory_is_that_of_the_keys_and_of_the_clients_of_one_pod() -> None:
    measured = sizing.Measured.of(Samples(MEASURED))
    assert measured
    # 100 clients of a pod, each with three connections of 0.1 MB and 5 GB received
    assert measured.row(nodes=1000, image_gigabytes=5, pods=10).megabytes == pytest.approx(60 + 100 * (0.3 + 5))


def test_the_table_has_a_row_for_each_deployment() -> None:
    head, _, first, *_ = tables.sizing_table(results(*MEASURED)).splitlines()
    assert head.count("|") == first.count("|")
    assert first == "| 100 | 1 GB | 2 | 125 MB | 50 s |"


@pytest.mark.parametrize("missing", MEASURED)
def test_nothing_is_computed_without_one_of_the_figures(missing: Sample) -> None:
    some = results(*(sample for sample in MEASURED if sample != missing))
    assert not list(sizing.rows(some.figures))
    assert tables.blocks(some)["sizing"] == "The last published run did not measure this."
