"""How the cluster is reached. Pure."""

from dataclasses import dataclass
from ipaddress import ip_address, ip_network

DNS_ADDRESS_OFFSET = 10
"""EKS gives the cluster's DNS service the tenth address of the service range.

https://docs.aws.amazon.com/eks/latest/userguide/managing-coredns.html and `--dns-cluster-ip` in the node bootstrap.
"""


@dataclass(frozen=True, slots=True)
class Connection:
    """The Kubernetes API of a cluster.

    Attributes:
        endpoint: Its https address.
        certificate_authority: Its CA certificate, PEM in base64.
        resolver: The DNS server nginx uses, IPv6 in brackets.
        version: Of Kubernetes, such as `1.36`; None where EKS was not asked, since the settings have all the others.
    """

    endpoint: str
    certificate_authority: str
    resolver: str
    version: str | None = None


def dns_address(service_cidr: str) -> str:
    """The address of the cluster's DNS service, from the range its services get theirs from."""
    return str(ip_network(service_cidr)[DNS_ADDRESS_OFFSET])


def nginx_address(address: str) -> str:
    """`address` as nginx writes it: IPv6 in brackets.

    https://nginx.org/en/docs/http/ngx_http_core_module.html#resolver
    """
    return f"[{address}]" if ip_address(address).version == 6 else address  # noqa: PLR2004 - IPv6
