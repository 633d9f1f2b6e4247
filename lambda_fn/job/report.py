"""The result of a run, for people and for metrics, and the errors that carry it. Pure; holds no secret."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from lambda_fn.contract.errors import ClusterError, FrontdoorError, RegistryError, SettingsError, TemplateError
from lambda_fn.contract.times import instant_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The result of one run.

    Attributes:
        dry_run: The run wrote nothing; `changed` and `rolled_out` describe what it would have done.
        hosts: The ECR hosts whose token is in the Secret, in the order of the settings.
        expires_at: When the first registry is without a valid token.
        stale_regions: Regions without a new token for each registry and replica in them; the Secret keeps their earlier
            tokens while those are valid.
        config_sha256: The digest of the rendered configuration; None where none was rendered.
        changed: Objects that differ from before, such as `Secret aws-registry`.
        taken_over: Fields that another field manager had changed, and that the run took back.
        rolled_out: The run started a rollout: the pods are replaced.
        cache_purged: The run was asked to purge the cache, and the rollout does so pod by pod.
        undone: The new pods did not become ready, and ConfigMap and Deployment have the earlier configuration again;
            `changed` names neither.
        pods_ready: Pods of the Deployment that are available.
        pods_wanted: Pods it should have.
        pods_killed: Evicted pods, and containers that were killed at their memory limit, since about the run before;
            each is named in `warnings`. None when that is unknown.
        warnings: Problems that did not stop the run, and that an operator should look at.
    """

    dry_run: bool
    hosts: tuple[str, ...]
    expires_at: datetime
    config_sha256: str | None
    stale_regions: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    taken_over: tuple[str, ...] = ()
    rolled_out: bool = False
    cache_purged: bool = False
    undone: bool = False
    pods_ready: int = 0
    pods_wanted: int = 0
    pods_killed: int | None = None
    warnings: tuple[str, ...] = field(default=())

    def state(self, written: str) -> str:
        """What a message says of the cluster: `written` after a run; of a dry run, that a run would lead there."""
        return f"This dry run wrote nothing. After a run: {written}" if self.dry_run else written

    def tokens(self) -> str:
        """What a message says of the tokens."""
        of_regions = f", except those of {', '.join(self.stale_regions)}" if self.stale_regions else ""
        return f"The tokens in the Secret are new{of_regions}"

    def to_json(self) -> dict[str, Any]:
        """The report as JSON's own types."""
        values = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}
        return {**values, "expires_at": instant_text(self.expires_at)}


class ReportedError(FrontdoorError):
    """The run wrote the Secret, and failed afterwards; a dry run wrote nothing, and failed where a run would.

    Attributes:
        report: What the run did; the tokens it wrote are in use.
    """

    def __init__(self, message: str, report: Report) -> None:
        super().__init__(message)
        self.report = report


class StaleRegionError(ReportedError, RegistryError):
    """One or more regions gave no usable token; the other regions have a new one."""


class UnrenderedTemplateError(ReportedError, TemplateError):
    """The template cannot be read, does not render, or uses the credential for ECR where the shipped one does not.

    The tokens are new, and the proxy keeps the configuration it has.
    """


class Ipv6Error(ReportedError, SettingsError):
    """EKS says that the cluster is IPv6, and the settings let no IPv6 client in; everything else is done."""


class UnfinishedError(ReportedError, ClusterError):
    """The API refused or failed after the Secret was written; the report ends with the last step that is known."""


class RolloutError(ReportedError, ClusterError):
    """The run wrote everything, and its rollout did not complete."""


class RolloutStuckError(RolloutError):
    """Pods do not become ready with the new configuration; the old pods keep serving, with the new tokens."""


class RolloutReplacedError(RolloutError):
    """Another writer's rollout replaced this run's, and is complete: run again."""


@contextmanager
def unfinished_after(report: Report) -> Iterator[None]:
    """Give an error of the cluster the report of what was done before it.

    Raises:
        UnfinishedError: The cluster refused or failed inside.
    """
    try:
        yield
    except ReportedError:
        raise
    except ClusterError as error:
        raise UnfinishedError(str(error), report) from error
