"""What a refresh needs from outside, and no more. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from lambda_fn.contract.authorization import Authorization
from lambda_fn.contract.objects import CONFIG_SHA256
from lambda_fn.contract.secret import Entry
from lambda_fn.job.credential import Credential
from lambda_fn.job.manifests import Manifest

Item = TypeVar("Item")
Result = TypeVar("Result")

DIAGNOSIS_SECONDS = 15.0
"""Kept of a refresh's remaining time, to find out why a rollout is stuck and to report it."""
WRITE_SECONDS = 20.0
"""Kept of the watcher's remaining time for its writes: a run that Lambda ends would begin at the same place again."""


class Clock(Protocol):
    """Time, and how much of it this invocation has left."""

    def now(self) -> datetime:
        """The current time in UTC."""

    def remaining_seconds(self) -> float:
        """How long until the invocation is ended from outside."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class Registry(Protocol):
    """ECR."""

    def fetch_credential(self, region: str, *, now: datetime, must_outlive: timedelta) -> Credential:
        """A new token of `region` that is good for at least `must_outlive` from `now` on.

        Raises:
            RegistryError: There is none.
        """

    def verify(self, host: str, token: Authorization) -> str | None:
        """Ask `host` whether it accepts the token.

        Returns:
            None when it does; a warning when it could not be asked.

        Raises:
            RegistryError: It refuses the token.
        """

    def side_by_side(self, call: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """The results of `call` in the order of the items: several calls at a time, since each waits for an answer."""


@dataclass(frozen=True, slots=True)
class Workload:
    """The proxy's Deployment, as far as a refresh looks at it.

    Attributes:
        annotations: Those of its pod template.
        charts_sha256: The digest of its pod template without the Lambda's annotations.
        wanted: Pods it should have.
        ready: Pods that are available, of any revision.
        updated_ready: At least so many pods of the newest revision are available; Kubernetes does not count them.
        complete: All pods are of the newest revision and available.
    """

    wanted: int
    ready: int
    updated_ready: int
    complete: bool
    charts_sha256: str
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def config_sha256(self) -> str | None:
        """The digest of the configuration it was last rolled out with; None when it never was."""
        return self.annotations.get(CONFIG_SHA256)


@dataclass(frozen=True, slots=True)
class Applied:
    """What an apply did, or with a dry run would do.

    Attributes:
        changed: The object differs from before.
        template_changed: It is a Deployment whose pod template differs, so Kubernetes replaces the pods. A webhook may
            change other fields at each apply, such as an annotation of the Deployment itself.
        taken_over: Fields of other managers that were overwritten, each with its manager's name.
    """

    changed: bool
    template_changed: bool = False
    taken_over: tuple[str, ...] = ()


class Cluster(Protocol):
    """The namespace of the proxy in Kubernetes. Every method raises ClusterError when the API refuses or fails."""

    def read_template(self) -> str:
        """The nginx template; a ClusterError when its ConfigMap or key is missing."""

    def read_configuration(self) -> str | None:
        """The rendered configuration in the ConfigMap, None when there is none."""

    def read_workload(self) -> Workload | None:
        """The Deployment, None when there is none."""

    def read_expiry(self) -> datetime | None:
        """When the first token in the Secret expires, None when that is unknown. Asks once: it is for a metric."""

    def read_tokens(self) -> Mapping[str, Entry]:
        """The tokens in the Secret by ECR host; none where there is no Secret, or none that a refresh wrote."""

    def apply(self, manifest: Manifest, *, dry_run: bool) -> Applied:
        """Make the object hold `manifest`'s fields, taking them over from other managers where need be.

        A missing Secret or ConfigMap is created; a ClusterError when the Deployment is missing.
        """

    def killed_pods(self, *, since: datetime) -> tuple[str, ...]:
        """Evictions of pods and containers ended for their memory since then, one text each. Asks once."""

    def explain_stuck_rollout(self) -> str:
        """Which pod does not become ready, why, and what it printed; one text for a person, without secrets."""
