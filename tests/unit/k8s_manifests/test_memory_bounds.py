"""What anonymous clients can make a pod hold, by the rendered configuration, stays below its memory limit.

tests/proxy/test_hostile_clients.py and tests/proxy/test_hostile_streams.py prove the memory of one connection; `make
soak` proves the product.
"""

import re
from pathlib import Path

import pytest

from k8s_manifests.configuration import template
from lambda_fn.contract import secret
from lambda_fn.contract.quantity import parse_quantity
from lambda_fn.job import configuration
from lambda_fn.settings import Settings, parse_toml
from lambda_fn.settings.memory import ZONES_MIB
from lambda_fn.settings.registry import with_replicas

KIB, MIB = 1 << 10, 1 << 20
WHILE_ATTACKED = 0.8
WITH_LARGE_PULLS = 0.95
PROCESS_KIB = 10 * KIB
"""nginx itself, for each process; three of them."""
SLOT_KIB = 0.5
"""nginx allocates each connection when it starts."""
REQUEST_KIB = 10.3
"""Measured: a connection whose headers have begun, without what it buffers of them beyond the first KiB."""
KERNEL_KIB = 4
"""Measured: a socket in the kernel, which counts to the pod with cgroup v2."""
TLS_KIB = 30
"""OpenSSL's part, without a buffer to write."""
TLS_WRITE_KIB = 16
STREAM_KIB = 26
"""Measured: a stream without its output buffers."""
HOSTILE_CONNECTIONS = 17_000
HOSTILE_STREAM_CONNECTIONS = 90
LARGEST_LAYER_MIB = 37
"""Measured: 0.7 MiB for each GiB of ECR's largest layer, 52,000 MiB."""

LIMITS = pytest.mark.parametrize("limit", ["303Mi", "512Mi", "1Gi", "2Gi", "4Gi", "16Gi"])
TLS = pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
REGIONS = ("eu-west-1", "eu-central-1", "us-east-1", "us-east-2", "us-west-2")
REFERENCE = Path(__file__).parents[2] / "template/reference"
ZONE = re.compile(r"\b(?:keys_)?(?:zone=|shared:)(\w+):(\d+)([km])\b|^\s*zone (\w+) (\d+)([km]);")
OF_HOST = ("ecr_", "s3_")
"""The zones of upstreams: one for each ECR host, and for each layer bucket."""


def settings(*, tls: bool, limit: str = "1Gi", size_gib: int = 8, registries: int = 20) -> Settings:
    """With everything that has a zone."""
    exposure = 'kind = "pod", tls_secret = "registry-tls"' if tls else 'kind = "service"'
    regions = [(REGIONS[number % len(REGIONS)], REGIONS[(number + 1) % len(REGIONS)]) for number in range(registries)]
    tables = ", ".join(
        f'{{ account = "{number:012}", region = "{region}", repositories = ["r{number}/*"], '
        f'replicas = [{{ account = "{number:012}", region = "{replica}" }}] }}'
        for number, (region, replica) in enumerate(regions)
    )
    mirror = f'account = "999999999999", region = "{REGIONS[0]}", repositories = ["hub/*"], upstream = "docker.io"'
    return parse_toml(
        f"""
        domain = "registry.example.net"
        cluster = {{ name = "shared", region = "eu-west-1" }}
        registries = [{tables}, {{ {mirror}, pull_through = true }}]
        page = {{ enabled = true, catalogue = true }}
        [proxy]
        monitoring_namespace = "monitoring"
        exposure = {{ {exposure} }}
        cache = {{ size_gib = {size_gib} }}
        resources = {{ memory_request = "64Mi", memory_limit = "{limit}" }}
        """,
        "the test's settings",
    )


def rendered(found: Settings) -> str:
    hosts = tuple(registry.host for registry in found.registries)
    return configuration.rendered(found, hosts, "10.0.0.10", template())


def number(name: str, text: str, *, which: int = 0) -> int:
    """A number of a directive, which stands once in the configuration; sizes are in KiB."""
    (words,) = re.findall(rf"^ *{name} ([^;]+);", text, re.MULTILINE)
    return int(words.split()[which].removesuffix("k"))


def zones(text: str) -> dict[str, int]:
    """The size of each zone of shared memory in a rendered configuration, in KiB."""
    found: dict[str, int] = {}
    for line in text.splitlines():
        if declared := ZONE.search(line):
            name, size, unit = filter(None, declared.groups())
            found[name] = int(size) * (KIB if unit == "m" else 1)
        else:
            assert not re.match(r"\s*(\w+_zone|zone|ssl_session_cache|proxy_cache_path)\b", line), line
    return found


def planned_zones_kib(text: str) -> int:
    """Of all zones, what does not depend on the size of the cache."""
    return sum(size for name, size in zones(text).items() if name != "blobs")


def fixed_kib(text: str) -> int:
    """nginx itself, and all of its zones when they are full."""
    return 3 * PROCESS_KIB + sum(zones(text).values())


def connections(text: str) -> int:
    """Of both workers."""
    return number("worker_processes", text) * number("worker_connections", text)


def connections_kib(text: str, *, tls: bool) -> float:
    """All of them, with all that a header may have."""
    count, size = (number("large_client_header_buffers", text, which=index) for index in (0, 1))
    each = SLOT_KIB + REQUEST_KIB + count * size + KERNEL_KIB + (TLS_KIB if tls else 0)
    return connections(text) * each


def large_pulls_kib(text: str) -> int:
    return number(r"js_var \$memory_for_large_pulls_mib", text) * KIB


def limit_kib(found: Settings) -> float:
    return float(parse_quantity(found.proxy.resources.memory_limit)) / KIB


def test_the_zones_of_everything_fit_into_what_is_planned_for_them() -> None:
    text = rendered(settings(tls=True, limit="16Gi"))
    of_hosts = [name for name in zones(text) if name.startswith(OF_HOST)]
    assert len(of_hosts) == 20 + 20 + 1 + len(REGIONS), "registries, replicas, the mirror, and layer buckets"
    assert planned_zones_kib(text) <= ZONES_MIB * KIB


@pytest.mark.parametrize("path", sorted(REFERENCE.glob("*.nginx.conf")), ids=lambda path: path.stem)
def test_everything_has_each_zone_of_an_example(path: Path) -> None:
    found = zones(path.read_text("utf-8"))
    assert {"blobs", "manifests", "gone_images", "shares", "clients", "ecr_1", "s3_1"} <= found.keys()
    assert found.keys() <= zones(rendered(settings(tls=True))).keys()


@pytest.mark.parametrize(("tls", "smallest"), [(False, "217Mi"), (True, "303Mi")])
def test_the_reserve_holds_the_zones_of_all_registries_that_a_secret_holds(tls: bool, smallest: str) -> None:  # noqa: FBT001 - a table
    found = settings(tls=tls, limit=smallest, registries=60)
    more_than_fit = {entry.host for entry in with_replicas(found.registries)}
    assert secret.longest_bytes(more_than_fit) > secret.LIMIT_BYTES
    assert planned_zones_kib(rendered(found)) - ZONES_MIB * KIB < (1 - WITH_LARGE_PULLS) * limit_kib(found)


@pytest.mark.parametrize(
    ("limit", "size_gib"),
    [("303Mi", 8), ("512Mi", 8), ("512Mi", 290), ("1Gi", 8), ("1Gi", 1600), ("4Gi", 8), ("16Gi", 8)],
)
@TLS
def test_every_connection_may_have_full_unfinished_headers(limit: str, size_gib: int, tls: bool) -> None:  # noqa: FBT001 - a table
    found = settings(tls=tls, limit=limit, size_gib=size_gib)
    text = rendered(found)
    attacked_kib = fixed_kib(text) + connections_kib(text, tls=tls)
    assert attacked_kib < WHILE_ATTACKED * limit_kib(found)
    assert attacked_kib + large_pulls_kib(text) < WITH_LARGE_PULLS * limit_kib(found)


@LIMITS
@TLS
def test_the_memory_is_used(limit: str, tls: bool) -> None:  # noqa: FBT001 - a table
    found = settings(tls=tls, limit=limit)
    text = rendered(found)
    planned_kib = fixed_kib(text) + connections_kib(text, tls=tls) + large_pulls_kib(text)
    assert 0.91 * limit_kib(found) < planned_kib


@LIMITS
@TLS
def test_pulls_of_large_layers_get_a_quarter_which_holds_the_largest(limit: str, tls: bool) -> None:  # noqa: FBT001 - a table
    found = settings(tls=tls, limit=limit)
    large_kib = large_pulls_kib(rendered(found))
    assert large_kib >= max(limit_kib(found) // 4 - KIB, LARGEST_LAYER_MIB * KIB)


@pytest.mark.parametrize(
    ("limit", "tls", "at_least"), [("1Gi", False, 1.5), ("2Gi", True, 1.5), ("4Gi", False, 3.5), ("16Gi", True, 3.5)]
)
def test_there_are_more_connections_than_the_attack_has(limit: str, tls: bool, at_least: float) -> None:  # noqa: FBT001 - a table
    assert connections(rendered(settings(tls=tls, limit=limit))) > at_least * HOSTILE_CONNECTIONS


@LIMITS
@TLS
def test_a_worker_may_open_a_file_for_each_connection_and_more(limit: str, tls: bool) -> None:  # noqa: FBT001 - a table
    text = rendered(settings(tls=tls, limit=limit))
    files, of_worker = number("worker_rlimit_nofile", text), number("worker_connections", text)
    assert max(20_000, of_worker + 6_000) <= files < 65_536


def test_ninety_connections_may_leave_every_stream_unread() -> None:
    found = settings(tls=True)
    text = rendered(found)
    buffers = number("output_buffers", text) * number("output_buffers", text, which=1)
    streams = number("http2_max_concurrent_streams", text)
    each = REQUEST_KIB + KERNEL_KIB + TLS_KIB + TLS_WRITE_KIB + streams * (STREAM_KIB + buffers)
    free_kib = WHILE_ATTACKED * limit_kib(found) - fixed_kib(text)
    assert HOSTILE_STREAM_CONNECTIONS * each < free_kib
    assert free_kib // each > 700, "the number that the decision record names"


def test_a_login_at_ecr_fits_into_one_header_buffer() -> None:
    text = rendered(settings(tls=False))
    assert number("large_client_header_buffers", text, which=1) * KIB > len("Authorization: Basic ") + 6_400
