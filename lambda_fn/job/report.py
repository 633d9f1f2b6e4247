"""What a run did, for people and for metrics, and the errors that carry it. Pure; holds no secret."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from lambda_fn.contract.errors import ClusterError


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The result of one run.

    Attributes:
        dry_run: Nothing was written; `changed` and `rolled_out` say what would be.
        hosts: The ECR hosts whose credential is in the Secret, in the order of the settings.
        expires_at: When the first of the tokens dies.
        config_sha256: The digest of the rendered configuration.
        changed: Objects that differ from before, such as `Secret aws-registry`.
        taken_over: Fields that another field manager had changed and that are ours again.
        rolled_out: A rollout was started.
        cache_purged: It was asked to empty the cache, which it does pod by pod: a cache ends with its pod.
        undone: Its pods did not become ready, and the configuration from before is back in the ConfigMap and the
            Deployment; `changed` names neither.
        pods_ready: Pods of the Deployment that are available.
        pods_wanted: Pods it should have.
        warnings: What did not stop the run and somebody should look at.
    """

    dry_run: bool
    hosts: tuple[str, ...]
    expires_at: datetime
    config_sha256: str
    changed: tuple[str, ...] = ()
    taken_over: tuple[str, ...] = ()
    rolled_out: bool = False
    cache_purged: bool = False
    undone: bool = False
    pods_ready: int = 0
    pods_wanted: int = 0
    warnings: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """The report as JSON's own types."""
        values = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}
        return {**values, "expires_at": f"{self.expires_at:%FT%TZ}"}


class RolloutError(ClusterError):
    """All was written, and the rollout did not end well.

    Attributes:
        report: What the run did before; the token it wrote is in use.
    """

    def __init__(self, message: str, report: Report) -> None:
        super().__init__(message)
        self.report = report


class RolloutStuckError(RolloutError):
    """Pods do not become ready with the new configuration; the old pods keep serving, with the new token."""


class RolloutReplacedError(RolloutError):
    """Somebody else's rollout took the place of this run's, and is complete: run again."""
