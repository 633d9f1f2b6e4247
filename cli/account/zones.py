"""The names that an account can vouch for: Route 53 zones, and certificates of ACM."""

import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_KEY_TYPES = ("RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1")
"""All that there are: without a filter, ACM lists only the first two.

https://docs.aws.amazon.com/acm/latest/APIReference/API_Filters.html
"""


@dataclass(frozen=True, slots=True)
class Zone:
    """A hosted zone of Route 53: its id (`Z0123456789ABC`), its name without the last dot, whether it is private."""

    id: str
    name: str
    is_private: bool


def zones_of(route53: Any) -> tuple[Zone, ...]:  # noqa: ANN401 - boto3's clients are made at run time
    """All hosted zones of the account.

    Raises:
        ClientError: Route 53 refuses.
        BotoCoreError: Route 53 cannot be reached.
    """
    return tuple(
        Zone(zone["Id"].rpartition("/")[2], zone["Name"].rstrip("."), bool(zone.get("Config", {}).get("PrivateZone")))
        for page in route53.get_paginator("list_hosted_zones").paginate()
        for zone in page["HostedZones"]
    )


def zone_for(domain: str, zones: Iterable[Zone], *, private: bool) -> Zone | None:
    """The zone that has the domain's records: the longest one that the domain ends with."""
    fitting = [zone for zone in zones if zone.is_private is private and f".{domain}".endswith(f".{zone.name}")]
    return max(fitting, key=lambda zone: len(zone.name), default=None)


def certificate_for(domain: str, acm: Any) -> str | None:  # noqa: ANN401 - as above
    """The ARN of an issued certificate that names the domain; None where there is none.

    Raises:
        ClientError: ACM refuses.
        BotoCoreError: ACM cannot be reached.
    """
    listing = acm.get_paginator("list_certificates")
    pages = listing.paginate(CertificateStatuses=["ISSUED"], Includes={"keyTypes": [*_KEY_TYPES]})
    listed = [one for page in pages for one in page["CertificateSummaryList"]]
    return next((str(one["CertificateArn"]) for one in listed if names_domain(one, domain)), None)


def names_domain(certificate: Mapping[str, Any], domain: str) -> bool:
    """Whether a certificate, as ACM lists or describes it, is for the domain. `*` stands for one label (RFC 6125)."""
    names = {
        certificate.get("DomainName", ""),
        *certificate.get("SubjectAlternativeNameSummaries", ()),
        *certificate.get("SubjectAlternativeNames", ()),
    }
    return any(
        name.count(".") == domain.count(".") and fnmatch.fnmatchcase(domain, name.replace("[", "[[]"))
        for name in names
        if name
    )
