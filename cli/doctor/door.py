"""The public domain, as a client on this network sees it: its name, its certificate, its answers, a test pull."""

import ipaddress
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import urllib3
from pydantic import ValidationError
from urllib3.exceptions import HTTPError

from cli.doctor.finding import Finding, failure, fine, skipped, warning
from cli.doctor.site import Site
from lambda_fn.contract.errors import CanaryError
from lambda_fn.edges import trust
from lambda_fn.edges.canary import Canary
from lambda_fn.settings import Settings
from lambda_fn.settings.canary import Canary as CanarySettings

_PORT = 443
_RENEW_BEFORE = timedelta(days=14)
_UNKNOWN_AUTHORITY = frozenset({2, 19, 20, 21})
"""OpenSSL's verify codes for an issuer that is missing or not trusted:
https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
"""


def examine(site: Site) -> Iterator[Finding]:
    """DNS, then TLS, then what the registry says; each only where the one before it holds."""
    domain = site.settings.domain
    addresses = _addresses(domain)
    yield _name(domain, addresses)
    if not addresses:
        return
    context = trusted(site.settings)
    certificate = _certificate(domain, context, site.connect_seconds)
    yield certificate if isinstance(certificate, Finding) else _validity(certificate, site.now)
    if isinstance(certificate, Finding):
        return
    with urllib3.PoolManager(
        retries=False,
        ssl_context=context,
        timeout=urllib3.Timeout(connect=site.connect_seconds, read=site.answer_seconds),
    ) as http:
        try:
            yield from _registry(http, domain)
            yield _pull(site)
        except HTTPError as error:
            yield failure(
                "registry", f"{domain} breaks off: {type(error).__name__}", "look at the pods and what is before them"
            )


def _addresses(domain: str) -> list[str]:
    try:
        found = socket.getaddrinfo(domain, _PORT, proto=socket.IPPROTO_TCP)
    except OSError:
        return []
    return sorted({str(address[0]) for *_, address in found})


def _name(domain: str, addresses: list[str]) -> Finding:
    if not addresses:
        return failure("dns", f"{domain} has no address here", "make the record, or ask from inside the VPC or its VPN")
    said = f"{domain} is {', '.join(addresses)}"
    if any(ipaddress.ip_address(address).is_global for address in addresses):
        return warning(
            "dns",
            f"{said}: a public address, and this registry asks nobody who they are",
            "use an internal load balancer, or limit who reaches it",
        )
    return fine("dns", said)


def trusted(settings: Settings) -> ssl.SSLContext:
    """Trusts what this machine trusts, and the authority that the settings name."""
    return trust.besides_the_public(settings.canary.authority if settings.canary else None)


def _certificate(domain: str, context: ssl.SSLContext, seconds: float) -> dict[str, Any] | Finding:
    """The certificate the domain shows, or why it is not to be trusted."""
    try:
        with (
            socket.create_connection((domain, _PORT), timeout=seconds) as connection,
            context.wrap_socket(connection, server_hostname=domain) as secured,
        ):
            return dict(secured.getpeercert() or {})
    except ssl.SSLCertVerificationError as error:
        return refused(domain, error)
    except OSError as error:
        return failure(
            "tls",
            f"{domain}:{_PORT} gives no TLS: {error}",
            "look at what is before the pods (load balancer, Ingress), its security group and its health checks",
        )


def refused(domain: str, error: ssl.SSLCertVerificationError) -> Finding:
    """A certificate that is not accepted here."""
    way_out = (
        "trust the authority here (SSL_CERT_FILE), or name it as canary.certificate_authority; if it is a public one, "
        "give the certificate its chain"
        if error.verify_code in _UNKNOWN_AUTHORITY
        else "renew it, or give it the right name and chain; clients refuse it as this does"
    )
    return failure("tls", f"the certificate of {domain} is refused: {error.verify_message}", way_out)


def _validity(certificate: dict[str, Any], now: datetime) -> Finding:
    ends_at = datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)
    said = f"the certificate is valid until {ends_at:%F}"
    if ends_at - now < _RENEW_BEFORE:
        return warning("tls", f"{said}, {(ends_at - now).days} days from now", "renew it; see why it was not renewed")
    return fine("tls", said)


def _registry(http: urllib3.PoolManager, domain: str) -> Iterator[Finding]:
    answer = http.request("GET", f"https://{domain}/v2/", redirect=False)
    if answer.status != 200 or answer.headers.get("Docker-Distribution-Api-Version") != "registry/2.0":  # noqa: PLR2004 - HTTP's own number
        yield failure(
            "registry",
            f"https://{domain}/v2/ answers {answer.status}, which is no open registry",
            "see that the domain leads to the proxy's Service, and that its pods are ready",
        )
        return
    # No registry takes this name, so that nothing is begun where the domain leads to one that would.
    push = http.request("POST", f"https://{domain}/v2/-/blobs/uploads/", redirect=False)
    if push.status != 405:  # noqa: PLR2004 - HTTP's own number
        yield failure(
            "registry",
            f"it answers {push.status} to the beginning of a push, where this proxy answers 405",
            "the domain leads to another registry: correct DNS or the load balancer",
        )
        return
    yield fine("registry", f"https://{domain}/v2/ answers without a login, and refuses a push")


def _pull(site: Site) -> Finding:
    """The Lambda's own test pull, of the image that was named or of the canary's."""
    try:
        canary = to_pull(site)
    except ValidationError:
        return failure("pull", f"{site.image!r} names no image", "write REPOSITORY:TAG or REPOSITORY@sha256:...")
    if canary is None:
        return skipped("pull", "no image was named: --image REPOSITORY:TAG pulls its manifest and smallest layer")
    named = f"{canary.repository}{'@' if ':' in canary.reference else ':'}{canary.reference}"
    try:
        seconds = Canary(site.settings.model_copy(update={"canary": canary})).pull()
    except CanaryError as error:
        return failure("pull", f"{named}: {error}", "docs/operations.md, When a pull fails")
    return fine("pull", f"{named}: its manifest and its smallest blob came whole in {seconds:.1f} s")


def to_pull(site: Site) -> CanarySettings | None:
    """The image that was named, or else the canary's; trusted is the canary's authority in both cases.

    Raises:
        ValidationError: What was named is no image.
    """
    canary = site.settings.canary
    if site.image is None:
        return canary
    repository, _, reference = site.image.partition("@") if "@" in site.image else site.image.rpartition(":")
    authority = canary.certificate_authority if canary else None
    return CanarySettings(repository=repository, reference=reference, certificate_authority=authority)
