"""Where the proxy pods run, and which pods give way, as an operator sets it. Pure."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from lambda_fn.settings.fields import LabelName, LabelValue, PriorityClassName
from lambda_fn.settings.table import NO_OTHER_KEYS, Table

_SYSTEM = "kubernetes.io/os"


class Toleration(Table):
    """A taint that the pods tolerate."""

    key: LabelName | None = None
    """The key of the taint. Without it, and with `operator = "Exists"`, every taint is tolerated."""
    operator: Literal["Equal", "Exists"] = "Equal"
    """`Equal`: the taint has this `value`. `Exists`: it may have any."""
    value: LabelValue = ""
    """The value of the taint."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """The effect of the taint. By default every effect is tolerated."""
    toleration_seconds: int | None = Field(default=None, ge=0)
    """How long a pod stays on a node that gets the taint, in seconds; only with `effect = "NoExecute"`. By default it
    stays.
    """

    @model_validator(mode="after")
    def _is_one_of_kubernetes(self) -> Self:
        """The rules of https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/ ."""
        if self.key is None and self.operator != "Exists":
            raise ValueError('key is missing: set it, or operator = "Exists" to tolerate every taint')
        if self.value and self.operator == "Exists":
            raise ValueError(f'value = {self.value}: must be left out with operator = "Exists", which takes any value')
        if self.toleration_seconds is not None and self.effect != "NoExecute":
            raise ValueError(
                f"toleration_seconds = {self.toleration_seconds}: must be left out unless effect = "
                '"NoExecute", because no other effect evicts pods'
            )
        return self


class Scheduling(Table):
    """Where the proxy pods run, and which pods give way when nodes are full."""

    node_selector: dict[LabelName, LabelValue] = Field(default={}, json_schema_extra=NO_OTHER_KEYS)
    """Labels that a node must have. `kubernetes.io/os` is always `linux`."""
    tolerations: Annotated[tuple[Toleration, ...], Field(strict=False)] = ()
    """Taints that the pods tolerate."""
    priority_class: PriorityClassName | None = None
    """A PriorityClass of the cluster. The pulls of all nodes depend on these pods: without it they get no node where
    all are full, and pods of a higher priority replace them. Every cluster has `system-cluster-critical`.
    """

    @model_validator(mode="after")
    def _nodes_run_linux(self) -> Self:
        found = self.node_selector.get(_SYSTEM, "linux")
        if found != "linux":
            raise ValueError(f"node_selector.{_SYSTEM} = {found}: must be linux, the system of the pods' image")
        return self

    @property
    def all_node_labels(self) -> dict[str, str]:
        """The labels of `node_selector`, and that of the operating system."""
        return {_SYSTEM: "linux", **self.node_selector}
