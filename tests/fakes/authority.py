"""A certificate authority, as it stands in the settings."""

import base64

from cryptography.hazmat.primitives.serialization import Encoding

from testbed.sandbox.certificates import Authority

CERTIFICATE_AUTHORITY = base64.b64encode(Authority.create().certificate.public_bytes(Encoding.PEM)).decode()
"""PEM in base64."""
