"""What anonymous clients can make a pod hold, by the rendered configuration, stays below its memory limit.

tests/proxy/test_hostile_clients.py and tests/proxy/test_hostile_streams.py prove the memory of one connection; `make
soak` proves the product.
"""

import re

import pytest

from k8s_manifests.configuration import template
from lambda_fn.contract.quantity import parse_quantity
from lambda_fn.job import configuration
from lambda_fn.settings import Settings, parse_toml

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

LIMITS = pytest.mark.parametrize("limit", ["297Mi", "512Mi", "1Gi", "2Gi", "4Gi", "16Gi"])
TLS = pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
REGIONS = ("eu-west-1", "eu-central-1", "us-east-1", "us-east-2", "us-west-2")


def settings(*, tls: bool, limit: str = "1Gi", size_gib: int = 8) -> Settings:
    """With twenty registries, whose zones count."""
    exposure = 'kind = "pod", tls_secret = "registry-tls"' if tls else 'kind = "service"'
    registries = ", ".join(
        f'{{ account = "{number:012}", region = "{REGIONS[number % len(REGIONS)]}", repositories = ["r{number}/*"] }}'
        for number in range(20)
    )
    return parse_toml(
        f"""
        domain = "registry.example.net"
        cluster = {{ name = "shared", region = "eu-west-1" }}
        registries = [{registries}]
        [proxy]
        exposure = {{ {exposure} }}
        cache = {{ size_gib = {size_gib} }}
        resources = {{ memory_limit = "{limit}" }}
        """,
        "the test's settings",
    )


def rendered(found: Settings) -> str:
    hosts = tuple(f"{registry.account}.dkr.ecr.{registry.region}.amazonaws.com" for registry in found.registries)
    return configuration.rendered(found, hosts, "10.0.0.10", template())


def number(name: str, text: str, *, which: int = 0) -> int:
    """A number of a directive, which stands once in the configuration; sizes are in KiB."""
    (words,) = re.findall(rf"^ *{name} ([^;]+);", text, re.MULTILINE)
    return int(words.split()[which].removesuffix("k"))


def fixed_kib(text: str) -> int:
    """nginx itself, and all of its zones when they are full."""
    zones = re.findall(r"(?:keys_zone=\w+:|\bzone=\w+:|shared:tls:|^ *zone \w+ )(\d+)([km])", text, re.MULTILINE)
    return 3 * PROCESS_KIB + sum(int(size) * (KIB if unit == "m" else 1) for size, unit in zones)


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


@pytest.mark.parametrize(
    ("limit", "size_gib"),
    [("297Mi", 8), ("512Mi", 8), ("512Mi", 290), ("1Gi", 8), ("1Gi", 1600), ("4Gi", 8), ("16Gi", 8)],
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
