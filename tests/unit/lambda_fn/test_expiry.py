"""A warm Lambda knows the last expiry that it saw, and asks the cluster only when there is time."""

from datetime import datetime, timedelta

import pytest

from lambda_fn.contract.authorization import Authorization
from lambda_fn.contract.errors import ClusterError
from lambda_fn.contract.secret import Entry
from lambda_fn.job.expiry import ASK_SECONDS, KnownExpiry
from tests.contract.cluster import objects_of, settings
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
    entry = Entry(Authorization("QVdTOng="), expires_at)
    cluster.apply(objects_of(settings()).secret({"h": entry}, expires_at, expires_at), dry_run=False)
    return cluster


def test_what_the_cluster_says_replaces_what_was_known() -> None:
    known = KnownExpiry(SOON)
    known.ask(with_token_until(LATER), FakeClock())
    assert known.at == LATER


def test_a_cluster_without_a_token_leaves_nothing_known() -> None:
    known = KnownExpiry(SOON)
    known.ask(FakeCluster(settings()), FakeClock())
    assert known.at is None


def test_a_cluster_that_does_not_answer_leaves_what_was_known() -> None:
    known = KnownExpiry(SOON)
    known.ask(SilentCluster(settings()), FakeClock())
    assert known.at == SOON


@pytest.mark.parametrize(("remaining_seconds", "expected"), [(ASK_SECONDS, LATER), (ASK_SECONDS - 1, SOON)])
def test_a_run_that_is_about_to_be_ended_asks_nothing_more(remaining_seconds: float, expected: datetime) -> None:
    known = KnownExpiry(SOON)
    known.ask(with_token_until(LATER), FakeClock(remaining_seconds))
    assert known.at == expected
