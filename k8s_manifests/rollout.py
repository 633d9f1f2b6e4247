"""How a rollout goes: so many new pods at once, each ready after so long. Pure."""

from math import ceil

from lambda_fn.settings import NlbExposure, Settings

MIN_READY_SECONDS = 5
"""How long a new pod has to stay ready before it counts."""

_REGISTERED_SECONDS = 180
"""The longest until a load balancer sends clients to a new pod, which is not ready before: registration and two checks.

https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-register-targets.html
"""

_STEPS = 4
"""So many of them fit into the longest `refresh.rollout_timeout_seconds`."""


def surge(settings: Settings) -> int:
    """How many new pods start at once: one, since the first shows whether the configuration is good.

    Behind a load balancer each takes minutes, and all of them together may take no longer than a Lambda waits.
    """
    return ceil(settings.proxy.replicas / _STEPS) if isinstance(settings.proxy.exposure, NlbExposure) else 1


def balanced_seconds(settings: Settings) -> int:
    """The longest a rollout behind a load balancer takes where nothing is wrong; 0 without one."""
    if not isinstance(settings.proxy.exposure, NlbExposure):
        return 0
    return ceil(settings.proxy.replicas / surge(settings)) * (_REGISTERED_SECONDS + MIN_READY_SECONDS)
