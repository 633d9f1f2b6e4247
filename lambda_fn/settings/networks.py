"""Addresses and network ranges in `frontdoor.toml`. Pure."""

from ipaddress import ip_address, ip_network
from typing import Annotated

from pydantic import AfterValidator

from lambda_fn.settings.matching import Matching

_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_V4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_H16 = "[0-9a-fA-F]{1,4}"
_LS32 = f"(?:{_H16}:{_H16}|{_V4})"
# https://www.rfc-editor.org/rfc/rfc3986#section-3.2.2: at most one `::`, for all groups that are left out
_V6 = "|".join(
    (
        f"(?:{_H16}:){{6}}{_LS32}",
        f"::(?:{_H16}:){{5}}{_LS32}",
        *(f"(?:(?:{_H16}:){{0,{4 - after}}}{_H16})?::(?:{_H16}:){{{after}}}{_LS32}" for after in range(4, -1, -1)),
        f"(?:(?:{_H16}:){{0,5}}{_H16})?::{_H16}",
        f"(?:(?:{_H16}:){{0,6}}{_H16})?::",
    )
)
_LENGTH_V4 = r"(?:[12]?\d|3[0-2])"
_LENGTH_V6 = r"(?:[1-9]?\d|1[01]\d|12[0-8])"

_ADDRESS = Matching(f"{_V4}|{_V6}", "an IPv4 or IPv6 address without a port, like 172.20.0.10")
_RANGE = Matching(
    rf"{_V4}/{_LENGTH_V4}|(?:{_V6})/{_LENGTH_V6}",
    "a network range with a prefix length and no bits set after the prefix, like 10.0.0.0/8",
)
_RANGE_V4 = Matching("[^:]+", "an IPv4 range, because the load balancer has only IPv4 addresses, like 10.1.0.0/24")
# RFC 4193: fc00::/7 holds IPv6's private addresses
_NOT_TOO_WIDE = (
    r"[^:]+/(?:[89]|[12]\d|3[0-2])|[^/]*:[^/]*/(?:1[6-9]|[2-9]\d|1[01]\d|12[0-8])"
    r"|[fF][cCdD][0-9a-fA-F]{2}:[^/]*/(?:[7-9]|1[0-5])"
)
_CLIENT_RANGE = Matching(
    _NOT_TOO_WIDE,
    "no wider than /8 (IPv4) or /16 (IPv6, outside of fc00::/7), because clients do not log in: name the ranges of "
    "your VPC and VPN, not the internet. Public addresses that you use internally may be among them, like 10.0.0.0/8",
)

_PROXY_RANGE = Matching(
    _NOT_TOO_WIDE,
    "no wider than /8 (IPv4) or /16 (IPv6, outside of fc00::/7), because all in it may claim any client address: "
    "name the subnets of the proxies alone, like 10.1.0.0/24",
)


def _address(value: str) -> str:
    try:
        return str(ip_address(value))
    except ValueError as error:
        raise ValueError(f"must be {_ADDRESS.allowed}") from error


def _network_range(value: str) -> str:
    try:
        return str(ip_network(value))
    except ValueError as error:
        raise ValueError(f"must be {_RANGE.allowed}") from error


Address = Annotated[str, _ADDRESS, AfterValidator(_address)]
NetworkRange = Annotated[str, _RANGE, AfterValidator(_network_range)]
NetworkRangeV4 = Annotated[NetworkRange, _RANGE_V4]
ClientRange = Annotated[NetworkRange, _CLIENT_RANGE]
ProxyRange = Annotated[NetworkRange, _PROXY_RANGE]
