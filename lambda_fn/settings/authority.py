"""A certificate authority as an operator writes it: PEM in base64. Pure."""

import base64
import re
from ssl import PROTOCOL_TLS_CLIENT, SSLContext, SSLError

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def pem(authority: str) -> str:
    """The certificates, as OpenSSL reads them.

    Raises:
        ValueError: It is not the certificate of a CA; the message does not repeat the value, which may hold a key.
    """
    wanted = "must be the PEM certificate of a CA in base64, on one line, as `base64 -w0 ca.pem` writes it"
    try:
        written = base64.b64decode(authority, validate=True)
    except ValueError as error:
        raise ValueError(wanted) from error
    if b"PRIVATE KEY" in written:
        raise ValueError(f"holds a private key, which does not belong here: {wanted}")
    # The text around the certificates may be anything, such as names and comments in any language.
    text = "\n".join(found.decode("ascii", "replace") for found in _CERTIFICATE.findall(written))
    trusted = SSLContext(PROTOCOL_TLS_CLIENT)
    try:
        trusted.load_verify_locations(cadata=text)
    except (SSLError, ValueError) as error:
        raise ValueError(wanted) from error
    if not trusted.get_ca_certs():
        raise ValueError(f"holds a certificate that is not of a CA, such as a server's own: {wanted}")
    return text
