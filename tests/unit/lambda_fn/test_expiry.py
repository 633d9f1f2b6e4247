"""What a warm Lambda knows of the token's end is what it saw last, and it looks only when there is time."""

from datetime import datetime, timedelta

import pytest

from lambda_fn.contract.errors import ClusterError
from lambda_fn.job import manifests
from lambda_fn.job.credential import Authorization, Credential
from lambda_fn.job.expiry import LOOK_SECONDS, KnownExpiry
from tests.contract.cluster import settings
from tests.fakes.clock import STARTED_AT, FakeClock
from tests.fakes.cluster import FakeCluster

SOON = STARTED_AT + timedelta(hours=1)
LATER = STARTED_AT + timedelta(hours=12)


class SilentCluster(FakeCluster):
    """Answers nothing."""

    def read_expiry(self) -> datetime | None:
        raise ClusterError("the Kubernetes API cannot be reached")


def with_token_until(expires_at: datetime) -> FakeCluster:
    cluster = FakeCluster(settings())
    credential = Credential("h", "ap-southeast-2", Authorization("QVdTOng="), expires_at)
    cluster.apply(manifests.secret(settings(), {"h": credential}), dry_run=False)
    return cluster


def test_what_the_cluster_says_replaces_what_was_known() -> None:
    known = KnownExpiry(SOON)
    known.look(with_token_until(LATER), FakeClock())
    assert known.at == LATER


def test_a_cluster_without_a_token_leaves_nothing_known() -> None:
    known = KnownExpiry(SOON)
    known.look(FakeCluster(settings()), FakeClock())
    assert known.at is None


def test_a_cluster_that_does_not_answer_leaves_what_was_known() -> None:
    known = KnownExpiry(SOON)
    known.look(SilentCluster(settings()), FakeClock())
    assert known.at == SOON


@pytest.mark.parametrize(("remaining_seconds", "expected"), [(LOOK_SECONDS, LATER), (LOOK_SECONDS - 1, SOON)])
def test_a_run_that_is_about_to_be_ended_asks_nothing_more(remaining_seconds: float, expected: datetime) -> None:
    known = KnownExpiry(SOON)
    known.look(with_token_until(LATER), FakeClock(remaining_seconds))
    assert known.at == expected
