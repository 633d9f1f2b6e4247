"""The stack's target groups, as the charts, the doctor and the command line name them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TargetGroups:
    """The ARNs of the stack's target groups; None where one is not known.

    Attributes:
        plain: Of the port that clients in the cluster use too.
        proxy_protocol: Of the port on which each connection begins with a PROXY protocol header.
    """

    plain: str | None = None
    proxy_protocol: str | None = None

    def or_else(self, other: "TargetGroups") -> "TargetGroups":
        """These, and those of the other where one is not known."""
        return TargetGroups(self.plain or other.plain, self.proxy_protocol or other.proxy_protocol)


UNKNOWN = TargetGroups()
"""No target group is known."""
ANY = TargetGroups("any", "any")
"""Stands for ARNs that nothing knows, so that everything else in the bindings can be compared."""

TARGET_GROUP_SETTINGS = {"plain": "target_group_arn", "proxy_protocol": "proxy_protocol_target_group_arn"}
"""The target groups, each with its setting."""


def option_of(setting: str) -> str:
    """The option of `frontdoor manifests` that stands for the setting of a target group."""
    return f"--{setting.replace('_', '-')}"


def output_of(setting: str) -> str:
    """The output of the stack that the setting of a target group is copied from."""
    return setting.title().replace("_", "")
