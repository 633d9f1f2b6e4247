"""A wait that is bounded by the settings and by the invocation."""

import pytest

from lambda_fn.contract.errors import ClusterError
from lambda_fn.job.rollout import wait
from tests.contract.cluster import deployment, settings
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster

SETTINGS = settings()


def test_a_complete_rollout_is_not_waited_for() -> None:
    clock = FakeClock()
    cluster = FakeCluster(SETTINGS, clock)
    cluster.create(deployment(SETTINGS))
    cluster.rolls_in_seconds = 0
    assert wait(cluster, clock, 300).complete
    assert clock.slept == []


def test_a_rollout_is_waited_for_until_it_is_complete() -> None:
    clock = FakeClock()
    cluster = FakeCluster(SETTINGS, clock)
    cluster.create(deployment(SETTINGS))
    cluster.rolls_in_seconds = 31
    assert wait(cluster, clock, 300).complete
    assert 31 <= sum(clock.slept) < 35


@pytest.mark.parametrize(("timeout", "remaining", "waited"), [(30, 900, 30), (300, 115, 100), (300, 10, 0)])
def test_the_wait_for_a_rollout_that_does_not_end_is_bounded(timeout: float, remaining: float, waited: float) -> None:
    clock = FakeClock(remaining)
    cluster = FakeCluster(SETTINGS, clock)
    cluster.create(deployment(SETTINGS))
    cluster.rolls_in_seconds = None
    assert not wait(cluster, clock, timeout).complete
    assert sum(clock.slept) == pytest.approx(waited)


def test_a_deployment_deleted_meanwhile_is_an_error() -> None:
    with pytest.raises(ClusterError, match="was deleted while the run waited for its rollout"):
        wait(FakeCluster(SETTINGS), FakeClock(), 300)
