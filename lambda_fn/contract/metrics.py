"""The metrics that the Lambda emits: their names, units, dimensions, and how each follows from a run. Pure.

A new metric is a row here; a module of `stacks/monitors` gives it a graph and alarms.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Generic, TypeVar

NAMESPACE = "EcrFrontdoor"
SERVICE = "ecr-frontdoor"
"""Powertools' service name: a dimension of every metric, and a field of every line of the log."""


class Unit(StrEnum):
    """CloudWatch's units, as far as they are used."""

    COUNT = "Count"
    SECONDS = "Seconds"
    MILLISECONDS = "Milliseconds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """What a run saw of the Deployment, after it had written the configuration.

    Attributes:
        started: The run started a rollout.
        stuck: The rollout did not complete: new pods do not become ready.
        pods_ready: Pods that were available at the end.
        pods_killed: Evictions and containers out of memory since about the run before; None when that is unknown.
    """

    started: bool
    stuck: bool
    pods_ready: int
    pods_killed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One refresh, as far as metrics describe it.

    Attributes:
        succeeded: It raised no error.
        token_written: Every region's token in the Secret is a new one.
        seconds: How long it took.
        token_seconds_remaining: How long until the first token in the cluster expires; None when that is unknown.
    """

    succeeded: bool
    token_written: bool
    seconds: float
    token_seconds_remaining: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """One pull of the canary.

    Attributes:
        seconds: How long it took; None when it failed.
    """

    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueRun:
    """One run of the catalogue.

    Attributes:
        seconds_since_round: How long ago a round was complete. Before one was: how long ago the first one started,
            and 0 while it advances. Of a run that failed: `CATALOGUE_OLD`.
    """

    seconds_since_round: float


Source = TypeVar("Source")


@dataclass(frozen=True)
class Metric(Generic[Source]):
    """One metric.

    Attributes:
        name: In CloudWatch.
        unit: Its unit.
        value: From a run to the value; None: the run emits no datapoint.
    """

    name: str
    unit: Unit
    value: Callable[[Source], float | None]


REFRESH_SUCCEEDED = Metric[Run]("RefreshSucceeded", Unit.COUNT, lambda run: int(run.succeeded))
TOKENS_WRITTEN = Metric[Run]("TokensWritten", Unit.COUNT, lambda run: int(run.token_written))
DURATION = Metric[Run]("DurationMilliseconds", Unit.MILLISECONDS, lambda run: round(run.seconds * 1000))
TOKEN_SECONDS_REMAINING = Metric[Run]("TokenSecondsRemaining", Unit.SECONDS, lambda run: run.token_seconds_remaining)
OF_RUN = (REFRESH_SUCCEEDED, TOKENS_WRITTEN, DURATION, TOKEN_SECONDS_REMAINING)
"""Emitted by every refresh that is not a dry run."""

ROLLOUTS_STUCK = Metric[Rollout]("RolloutsStuck", Unit.COUNT, lambda rollout: int(rollout.stuck))
PODS_READY = Metric[Rollout]("PodsReady", Unit.COUNT, lambda rollout: rollout.pods_ready)
ROLLOUTS = Metric[Rollout]("Rollouts", Unit.COUNT, lambda rollout: int(rollout.started))
PODS_KILLED = Metric[Rollout]("PodsKilled", Unit.COUNT, lambda rollout: rollout.pods_killed)
OF_ROLLOUT = (ROLLOUTS_STUCK, PODS_READY, ROLLOUTS, PODS_KILLED)
"""Emitted by a refresh that came as far as the Deployment."""

CANARY_SUCCESS = Metric[Pull]("CanarySuccess", Unit.COUNT, lambda pull: int(pull.seconds is not None))
CANARY_SECONDS = Metric[Pull]("CanarySeconds", Unit.SECONDS, lambda pull: pull.seconds)
OF_PULL = (CANARY_SUCCESS, CANARY_SECONDS)
"""Emitted by every pull of the canary."""


CATALOGUE_OLD = timedelta(hours=6)
"""Six rounds: the age of a catalogue that needs an operator. The first round of 5,000 repositories takes about as long,
and has no age while it advances.
"""
CATALOGUE_AGE = Metric[CatalogueRun]("CatalogueSecondsSinceRound", Unit.SECONDS, lambda run: run.seconds_since_round)
OF_CATALOGUE = (CATALOGUE_AGE,)
"""Emitted by every run of the catalogue that the schedule starts."""


def dimensions(*, domain: str, cluster: str, namespace: str) -> Mapping[str, str]:
    """The dimensions that tell one installation from another."""
    return {"Domain": domain, "Cluster": cluster, "Namespace": namespace, "service": SERVICE}
