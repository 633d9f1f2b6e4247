"""How a rollout proceeds: how many new pods start at once, and how long it takes. Pure."""

from math import ceil

MIN_READY_SECONDS = 5
"""How long a new pod has to stay ready before it counts."""

_STEPS = 4
"""So many steps behind a load balancer fit into the longest `refresh.rollout_timeout_seconds`."""


def surge(replicas: int, *, registration_seconds: int) -> int:
    """How many new pods start at once: one, since the first shows whether the configuration works.

    Behind a load balancer each takes minutes, and all of them together may take no longer than a Lambda waits.
    """
    return ceil(replicas / _STEPS) if registration_seconds else 1


def longest_rollout_seconds(replicas: int, *, registration_seconds: int) -> int:
    """The longest that a rollout takes behind a load balancer if nothing fails; 0 without one."""
    if not registration_seconds:
        return 0
    steps = ceil(replicas / surge(replicas, registration_seconds=registration_seconds))
    return steps * (registration_seconds + MIN_READY_SECONDS)
