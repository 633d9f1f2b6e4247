"""How a pod's memory limit is divided, and which limit is too small."""

import re
from pathlib import Path

import pytest

from lambda_fn.settings import parse_toml
from lambda_fn.settings.memory import ZONES_MIB
from tests.unit.settings.files import mistakes, with_line

REFERENCE = Path(__file__).parents[2] / "template/reference"
_SHARED = re.compile(r"\b(?:keys_)?(?:zone=|shared:)(\w+):(\d+)([km])\b|^\s*zone (\w+) (\d+)([km]);")
_KIB = {"k": 1, "m": 1024}
PLAIN = 'kind = "service"'
TLS = 'kind = "pod"\ntls_secret = "registry-tls"'


def file(limit: str, *, exposure: str = PLAIN, cache: str = "") -> str:
    """The smallest settings with a memory limit."""
    resources = f"resources = {{ memory_limit = '{limit}', memory_request = '64Mi' }}"
    return with_line("[proxy]", f"{resources}\n{cache}").replace(PLAIN, exposure)


@pytest.mark.parametrize(
    ("exposure", "limit", "connections", "large_pulls_mib"),
    [
        (PLAIN, "211Mi", 1026, 52),
        (PLAIN, "512Mi", 5757, 128),
        (PLAIN, "1Gi", 13_806, 256),
        (PLAIN, "4Gi", 32_768, 2330),
        (TLS, "297Mi", 1026, 74),
        (TLS, "512Mi", 2486, 128),
        (TLS, "1Gi", 5961, 256),
        (TLS, "4Gi", 26_814, 1024),
    ],
)
def test_the_parts_follow_the_memory_limit(exposure: str, limit: str, connections: int, large_pulls_mib: int) -> None:
    memory = parse_toml(file(limit, exposure=exposure), "my.toml").proxy.memory
    assert (memory.worker_connections, memory.large_pulls_mib) == (connections, large_pulls_mib)


def test_the_keys_of_a_large_cache_leave_fewer_connections() -> None:
    memory = parse_toml(file("1Gi", cache="cache = { size_gib = 800 }"), "my.toml").proxy.memory
    assert (memory.worker_connections, memory.large_pulls_mib) == (11_650, 256)


@pytest.mark.parametrize(
    ("exposure", "limit", "cache", "smallest"),
    [
        (PLAIN, "210Mi", "", "211Mi"),
        (PLAIN, "100M", "", "211Mi"),
        (TLS, "296Mi", "", "297Mi"),
        (TLS, "315Mi", "cache = { size_gib = 280 }", "316Mi"),
    ],
)
def test_a_limit_that_leaves_a_thousand_connections_for_a_worker_is_the_smallest(
    exposure: str, limit: str, cache: str, smallest: str
) -> None:
    (found,) = mistakes(file(limit, exposure=exposure, cache=cache))
    assert found.startswith(f"proxy: resources.memory_limit = {limit} leaves each worker ")
    assert found.endswith(f" Fix: set memory_limit to {smallest} or more")
    assert parse_toml(file(smallest, exposure=exposure, cache=cache), "my.toml").proxy.memory.worker_connections >= 1024


def zones(configuration: str) -> dict[str, int]:
    """The size of each zone of shared memory in a rendered configuration, in KiB."""
    found: dict[str, int] = {}
    for line in configuration.splitlines():
        declared = _SHARED.search(line)
        if declared:
            name, size, unit = filter(None, declared.groups())
            found[name] = int(size) * _KIB[unit]
        else:
            assert not re.match(r"\s*(\w+_zone|zone|ssl_session_cache|proxy_cache_path)\b", line), line
    return found


@pytest.mark.parametrize("path", sorted(REFERENCE.glob("*.nginx.conf")), ids=lambda path: path.stem)
def test_all_zones_of_a_configuration_fit_in_what_is_planned_for_them(path: Path) -> None:
    found = zones(path.read_text("utf-8"))
    upstreams = [name for name in found if name.startswith(("ecr_", "s3_"))]
    assert {"blobs", "manifests", "gone_images", "shares", "clients", *upstreams} <= found.keys()
    # With a large memory limit the notes of large pulls take 512 KiB each; with many registries are 40 upstreams.
    grown = found | {"large_pulls": 512, "large_pulls_pieces": 512}
    fixed = sum(size for name, size in grown.items() if name not in ("blobs", *upstreams))
    assert fixed + 40 * 64 <= ZONES_MIB * 1024
