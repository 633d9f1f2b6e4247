"""How a pod's memory limit is divided, and which limit is too small."""

import pytest

from lambda_fn.settings import parse_toml
from tests.unit.settings.files import mistakes, with_line

PLAIN = 'kind = "service"'
TLS = 'kind = "pod"\ntls_secret = "registry-tls"'


def file(limit: str, *, exposure: str = PLAIN, cache: str = "") -> str:
    """The smallest settings with a memory limit."""
    resources = f"resources = {{ memory_limit = '{limit}', memory_request = '64Mi' }}"
    return with_line("[proxy]", f"{resources}\n{cache}").replace(PLAIN, exposure)


@pytest.mark.parametrize(
    ("exposure", "limit", "connections", "large_pulls_mib"),
    [
        (PLAIN, "217Mi", 1030, 54),
        (PLAIN, "512Mi", 5667, 128),
        (PLAIN, "1Gi", 13_716, 256),
        (PLAIN, "4Gi", 32_768, 2326),
        (TLS, "303Mi", 1028, 75),
        (TLS, "512Mi", 2447, 128),
        (TLS, "1Gi", 5922, 256),
        (TLS, "4Gi", 26_775, 1024),
    ],
)
def test_the_parts_follow_the_memory_limit(exposure: str, limit: str, connections: int, large_pulls_mib: int) -> None:
    memory = parse_toml(file(limit, exposure=exposure), "my.toml").proxy.memory
    assert (memory.worker_connections, memory.large_pulls_mib) == (connections, large_pulls_mib)


def test_the_keys_of_a_large_cache_leave_fewer_connections() -> None:
    memory = parse_toml(file("1Gi", cache="cache = { size_gib = 800 }"), "my.toml").proxy.memory
    assert (memory.worker_connections, memory.large_pulls_mib) == (11_560, 256)


@pytest.mark.parametrize(
    ("exposure", "limit", "cache", "smallest"),
    [
        (PLAIN, "216Mi", "", "217Mi"),
        (PLAIN, "100M", "", "217Mi"),
        (TLS, "302Mi", "", "303Mi"),
        (TLS, "320Mi", "cache = { size_gib = 280 }", "321Mi"),
    ],
)
def test_a_limit_that_leaves_a_thousand_connections_for_a_worker_is_the_smallest(
    exposure: str, limit: str, cache: str, smallest: str
) -> None:
    (found,) = mistakes(file(limit, exposure=exposure, cache=cache))
    assert found.startswith(f"proxy: resources.memory_limit = {limit} leaves each worker ")
    assert found.endswith(f" Fix: set memory_limit to {smallest} or more")
    assert parse_toml(file(smallest, exposure=exposure, cache=cache), "my.toml").proxy.memory.worker_connections >= 1024
