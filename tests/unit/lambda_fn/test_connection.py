"""Addresses, derived."""

import pytest

from lambda_fn.job.connection import dns_address, nginx_address


@pytest.mark.parametrize(
    ("cidr", "address"),
    [("172.20.0.0/16", "172.20.0.10"), ("10.100.0.0/16", "10.100.0.10"), ("fd12:3456::/108", "fd12:3456::a")],
)
def test_the_clusters_dns_is_the_tenth_address_of_the_service_range(cidr: str, address: str) -> None:
    assert dns_address(cidr) == address


@pytest.mark.parametrize(("address", "written"), [("10.0.0.10", "10.0.0.10"), ("fd00::a", "[fd00::a]")])
def test_nginx_has_ipv6_in_brackets(address: str, written: str) -> None:
    assert nginx_address(address) == written
