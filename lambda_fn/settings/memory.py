"""How a pod's memory limit is divided: nginx, its zones, connections, and pulls of large layers. Pure.

docs/decisions/0024-limits-for-hostile-clients.md has the measurements.
"""

from dataclasses import dataclass
from math import ceil

_PLANNED = 0.95
"""The part of the limit that is planned; a reserve remains."""
_LARGE_PULLS = 0.25
"""Of the limit, at least. So nginx, its zones and all connections together stay at 70 % of it."""

_NGINX_MIB = 30
"""The master, two workers and the cache manager."""
ZONES_MIB = 44
"""Every zone but that for the keys of blobs, when it is full, with TLS, mirrors, and 20 registries with replicas.

An ECR host or a layer bucket has 64 KiB: the reserve has room for those of all registries that a Secret holds.
"""

_WORKERS = 2
_SLOT_KIB = 0.5
"""nginx allocates its connections when it starts."""
_HEADER_KIB = 10.3 + 8
"""Measured: a request whose header has begun, and the buffer that its header may fill."""
_KERNEL_KIB = 4
"""Measured: a socket in the kernel, which counts to the pod with cgroup v2."""
_TLS_KIB = 30
"""Measured: what OpenSSL holds for a connection."""

FEWEST_CONNECTIONS = 1024
"""Of a worker: a pull takes four to six."""
_MOST_CONNECTIONS = 32_768
"""Of a worker: both have twice what one address opens with Linux's defaults."""


@dataclass(frozen=True, slots=True)
class Memory:
    """The parts of a pod's memory that nginx has to know.

    Attributes:
        worker_connections: How many connections each worker has.
        large_pulls_mib: What nginx may hold for pulls of layers of 1 GB or more, in MiB.
    """

    worker_connections: int
    large_pulls_mib: int


def divided(limit_bytes: int, key_zone_mib: int, *, tls: bool) -> Memory:
    """What each part gets: large pulls a quarter and what connections leave, connections the rest up to their maximum.

    Args:
        limit_bytes: The memory limit of the container.
        key_zone_mib: The zone for the keys of blobs.
        tls: Whether nginx itself ends TLS.
    """
    limit_mib = limit_bytes / 2**20
    free_mib = limit_mib * _PLANNED - _NGINX_MIB - ZONES_MIB - key_zone_mib
    each_mib = _WORKERS * _connection_mib(tls=tls)
    connections = min(_MOST_CONNECTIONS, int((free_mib - limit_mib * _LARGE_PULLS) / each_mib))
    return Memory(connections, int(free_mib - connections * each_mib))


def smallest_limit_mib(key_zone_mib: int, *, tls: bool) -> int:
    """The smallest limit that leaves each worker its fewest connections, in MiB."""
    connections_mib = _WORKERS * FEWEST_CONNECTIONS * _connection_mib(tls=tls)
    return ceil((_NGINX_MIB + ZONES_MIB + key_zone_mib + connections_mib) / (_PLANNED - _LARGE_PULLS))


def _connection_mib(*, tls: bool) -> float:
    return (_SLOT_KIB + _HEADER_KIB + _KERNEL_KIB + (_TLS_KIB if tls else 0)) / 1024
