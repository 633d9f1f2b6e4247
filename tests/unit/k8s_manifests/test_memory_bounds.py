"""What anonymous clients can make a pod hold: connections times memory for each kind, below 80 % of the default limit.

tests/proxy/test_hostile_clients.py and tests/proxy/test_hostile_streams.py prove the memory of one; `make soak` proves
the product.
"""

import re

import pytest

from k8s_manifests.configuration import template
from lambda_fn.contract.quantity import parse_quantity
from lambda_fn.job import configuration
from lambda_fn.settings import Settings, parse_toml

KIB, MIB = 1 << 10, 1 << 20
SHARE = 0.8
WORKER_KIB = 10 * KIB
"""nginx itself, for each process; three of them."""
SLOT_KIB = 0.5
"""nginx allocates each connection when it starts."""
REQUEST_KIB = 10.5
"""Measured: a connection whose headers have begun, without what it buffers of them beyond the first KiB."""
KERNEL_KIB = 4
"""Measured: a socket in the kernel, which counts to the pod with cgroup v2."""
TLS_KIB = 30
"""OpenSSL's part, without a buffer to write."""
TLS_WRITE_KIB = 16
STREAM_KIB = 26
"""Measured: a stream without its output buffers."""
HOSTILE_STREAM_CONNECTIONS = 90


def settings(*, tls: bool) -> Settings:
    exposure = 'kind = "pod", tls_secret = "registry-tls"' if tls else 'kind = "service"'
    return parse_toml(
        f"""
        domain = "registry.example.net"
        cluster = {{ name = "shared", region = "eu-west-1" }}
        registries = [{{ account = "123456789012", region = "eu-west-1" }}]
        [proxy]
        exposure = {{ {exposure} }}
        """,
        "the test's settings",
    )


def rendered(*, tls: bool) -> str:
    hosts = ("123456789012.dkr.ecr.eu-west-1.amazonaws.com",)
    return configuration.rendered(settings(tls=tls), hosts, "10.0.0.10", template())


def number(name: str, text: str, *, which: int = 0) -> int:
    """A number of a directive, which stands once in the configuration; sizes are in KiB."""
    (words,) = re.findall(rf"^ *{name} ([^;]+);", text, re.MULTILINE)
    return int(words.split()[which].removesuffix("k"))


def allowed_kib(*, tls: bool) -> float:
    """The planned part of the default limit, without nginx itself and its zones when they are full."""
    limit = float(parse_quantity(settings(tls=tls).proxy.resources.memory_limit))
    text = rendered(tls=tls)
    zones = re.findall(r"(?:keys_zone=\w+|zone=\w+|shared:tls):(\d+)([km])", text)
    zones_kib = sum(int(size) * (KIB if unit == "m" else 1) for size, unit in zones)
    return limit * SHARE / KIB - zones_kib - 3 * WORKER_KIB


def connections(text: str) -> int:
    """Of both workers."""
    return number("worker_processes", text) * number("worker_connections", text)


def header_kib(text: str) -> int:
    """What nginx buffers of a request's headers beyond the first KiB."""
    count, size = (number("large_client_header_buffers", text, which=index) for index in (0, 1))
    return count * size


@pytest.mark.parametrize(("tls", "tls_kib"), [(False, 0), (True, TLS_KIB)])
def test_every_connection_may_have_full_unfinished_headers(tls: bool, tls_kib: int) -> None:  # noqa: FBT001 - a table
    text = rendered(tls=tls)
    each = SLOT_KIB + REQUEST_KIB + header_kib(text) + KERNEL_KIB + tls_kib
    assert connections(text) * each < allowed_kib(tls=tls)


def test_one_address_cannot_use_up_the_connections_of_the_attack() -> None:
    assert connections(rendered(tls=False)) > 1.5 * 17_000


def test_ninety_connections_may_leave_every_stream_unread() -> None:
    text = rendered(tls=True)
    buffers = number("output_buffers", text) * number("output_buffers", text, which=1)
    streams = number("http2_max_concurrent_streams", text)
    each = REQUEST_KIB + KERNEL_KIB + TLS_KIB + TLS_WRITE_KIB + streams * (STREAM_KIB + buffers)
    assert HOSTILE_STREAM_CONNECTIONS * each < allowed_kib(tls=True)
    assert allowed_kib(tls=True) // each > 700, "the number that the decision record names"


def test_a_login_at_ecr_fits_into_one_header_buffer() -> None:
    assert (
        number("large_client_header_buffers", rendered(tls=False), which=1) * KIB > len("Authorization: Basic ") + 6_400
    )
