"""What the soak makes of its samples."""

from testbed.soak.samples import GIB, Samples


def test_growth_is_measured_after_a_tenth_of_the_bytes_since_buffers_fill_first() -> None:
    samples = Samples(0, {}, [(0, 10), (1 * GIB, 50), (5 * GIB, 60), (10 * GIB, 68)])
    assert samples.growth_bytes_per_gib() == 2


def test_a_pull_that_ends_at_once_shows_no_growth() -> None:
    assert Samples(0, {}, [(0, 10)]).growth_bytes_per_gib() == 0
