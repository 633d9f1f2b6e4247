"""The canary's certificate authority is one, or is refused without being repeated."""

import base64

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import Certificate

from lambda_fn.settings import parse_toml
from lambda_fn.settings.authority import pem as read
from testbed.sandbox.certificates import Authority, Leaf
from tests.unit.settings.files import SMALLEST, mistakes

KEY = ec.generate_private_key(ec.SECP256R1())
AUTHORITY = Authority.create()
SERVER = AUTHORITY.issue(Leaf("domain", "registry.example.net", ("registry.example.net",)), KEY)


def encoded(*parts: bytes) -> str:
    return base64.b64encode(b"".join(parts)).decode()


def pem(certificate: Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


PRIVATE = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
)


def with_authority(authority: str) -> str:
    canary = f"repository = 'team/a', reference = 'x', certificate_authority = \"{authority}\""
    return f"canary = {{ {canary} }}\n{SMALLEST}"


def test_of_a_file_the_certificates_count_and_nothing_around_them() -> None:
    file = encoded("# Autorität\n".encode(), pem(AUTHORITY.certificate), b"# the end\n")
    assert parse_toml(with_authority(file), "my.toml").canary
    assert read(file).encode() == pem(AUTHORITY.certificate).strip()


def test_several_authorities_may_stand_in_one_text() -> None:
    both = encoded(pem(AUTHORITY.certificate), pem(Authority.create().certificate))
    assert parse_toml(with_authority(both), "my.toml").canary


@pytest.mark.parametrize(
    ("authority", "message"),
    [
        ("Zm9v", "canary: certificate_authority must be the PEM certificate of a CA in base64"),
        ("Zm9vYg", "canary: certificate_authority must be the PEM certificate"),
        ("/w==", "canary: certificate_authority must be the PEM certificate"),
        (encoded(pem(SERVER)), "canary: certificate_authority holds a certificate that is not of a CA"),
        (encoded(PRIVATE), "canary: certificate_authority holds a private key"),
        (encoded(pem(AUTHORITY.certificate), PRIVATE), "canary: certificate_authority holds a private key"),
        (PRIVATE.decode().replace("\n", "\\n"), "canary: certificate_authority must be the PEM certificate"),
        (
            f"{encoded(PRIVATE)[:76]}\\n{encoded(PRIVATE)[76:]}",
            "canary: certificate_authority must be the PEM certificate",
        ),
    ],
    ids=["text", "cut", "bytes", "server", "key", "both", "key as it is", "key on two lines"],
)
def test_a_value_that_is_not_a_ca_is_refused_and_not_repeated(authority: str, message: str) -> None:
    (found,) = mistakes(with_authority(authority))
    assert found.startswith(message)
    pieces = {authority[start : start + 20] for start in range(0, len(authority) - 20, 10)} or {authority}
    assert not [piece for piece in pieces if piece in found]
