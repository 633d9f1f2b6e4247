"""Whether the domain has an address here, and only private ones."""

import ipaddress
import socket
from collections.abc import Iterator

from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok, warning


def run(context: CheckContext) -> Iterator[Finding]:
    """The domain's addresses."""
    domain = context.settings.domain
    addresses = _addresses(domain)
    message = f"{domain} resolves to {', '.join(addresses)}"
    if not addresses:
        yield failed(
            f"{domain} does not resolve here",
            "create the DNS record, or run the doctor inside the VPC or its VPN",
            fatal=True,
        )
    elif any(ipaddress.ip_address(address).is_global for address in addresses):
        yield warning(
            f"{message}: a public address, but this registry needs no login",
            "use an internal load balancer, or restrict its client addresses",
        )
    else:
        yield ok(message)


def _addresses(domain: str) -> list[str]:
    try:
        found = socket.getaddrinfo(domain, "https", proto=socket.IPPROTO_TCP)
    except OSError:
        return []
    return sorted({str(address[0]) for *_, address in found})


CHECK = Check("dns", Category.DOMAIN, run)
