"""Whether the domain's certificate is trusted here, and until when it is valid."""

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok, warning

_PORT = 443
_RENEW_BEFORE = timedelta(days=14)
_UNKNOWN_AUTHORITY = frozenset({2, 19, 20, 21})
"""OpenSSL's verify codes for an issuer that is missing or not trusted:
https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
"""


def run(context: CheckContext) -> Iterator[Finding]:
    """The certificate, as a client on this machine that also trusts `canary.certificate_authority` sees it."""
    domain = context.settings.domain
    try:
        certificate = _certificate(domain, context.trusted, context.connect_timeout_seconds)
    except ssl.SSLCertVerificationError as error:
        yield untrusted(domain, error)
    except OSError as error:
        yield failed(
            f"the TLS connection to {domain}:{_PORT} failed: {error}",
            "check the load balancer or Ingress in front of the pods, its security group and its health checks",
            fatal=True,
        )
    else:
        yield _validity(certificate, context.now)


def _certificate(domain: str, trusted: ssl.SSLContext, timeout_seconds: float) -> dict[str, Any]:
    with (
        socket.create_connection((domain, _PORT), timeout=timeout_seconds) as connection,
        trusted.wrap_socket(connection, server_hostname=domain) as secured,
    ):
        return dict(secured.getpeercert() or {})


def untrusted(domain: str, error: ssl.SSLCertVerificationError) -> Finding:
    """A certificate that this machine does not accept."""
    hint = (
        "trust the authority on this machine (SSL_CERT_FILE), or set canary.certificate_authority; with a public "
        "authority, add the intermediate certificates"
        if error.verify_code in _UNKNOWN_AUTHORITY
        else "renew the certificate, or correct its name or chain"
    )
    message = f"the certificate of {domain} is not accepted: {error.verify_message}"
    return failed(message, hint, fatal=True)


def _validity(certificate: dict[str, Any], now: datetime) -> Finding:
    expires_at = datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)
    message = f"the certificate expires on {expires_at:%F}"
    if expires_at - now < _RENEW_BEFORE:
        return warning(f"{message}, in {(expires_at - now).days} days", "renew it, and find out why it was not renewed")
    return ok(message)


CHECK = Check("tls", Category.DOMAIN, run, needs=("dns",), runbook="docs/exposure.md#certificates-from-cert-manager")
