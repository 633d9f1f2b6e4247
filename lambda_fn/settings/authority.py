"""A certificate authority as an operator writes it: PEM in base64. Pure."""

import base64
import re
from ssl import PROTOCOL_TLS_CLIENT, SSLContext, SSLError
from typing import Annotated

from pydantic import AfterValidator, Field

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_OTHER_BLOCK = re.compile(rb"-----BEGIN (?!CERTIFICATE-----)")
_WANTED = "must be the PEM certificate of a CA in base64, on one line, as `base64 -w0 ca.pem` writes it"


def pem(authority: str) -> str:
    """The certificates, as OpenSSL reads them.

    Raises:
        ValueError: It is not the certificate of a CA; the message does not repeat the value, which may hold a key.
    """
    try:
        written = base64.b64decode(authority, validate=True)
    except ValueError as error:
        raise ValueError(_WANTED) from error
    if b"PRIVATE KEY" in written:
        raise ValueError(f"holds a private key, which does not belong here: {_WANTED}")
    if _OTHER_BLOCK.search(written):
        raise ValueError(f"holds a PEM block that is not a certificate: {_WANTED}")
    trusted = SSLContext(PROTOCOL_TLS_CLIENT)
    try:
        # The text around the certificates may be anything, such as names and comments in any language.
        text = "\n".join(found.decode("ascii") for found in _CERTIFICATE.findall(written))
        trusted.load_verify_locations(cadata=text)
    except (SSLError, ValueError) as error:
        raise ValueError(_WANTED) from error
    if not trusted.get_ca_certs():
        raise ValueError(f"holds a certificate that is not of a CA, such as a server's own: {_WANTED}")
    return text


def _certificates(authority: str) -> str:
    """The value without the text around its certificates, so that nothing else gets into the Lambda's bundle."""
    return base64.b64encode(f"{pem(authority)}\n".encode()).decode()


CertificateAuthority = Annotated[
    str,
    AfterValidator(_certificates),
    Field(json_schema_extra={"pattern": "^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"}),
]
"""Certificates of CAs, PEM in base64. Messages never repeat a value of a key of this kind (`parse.NOT_SHOWN`)."""
