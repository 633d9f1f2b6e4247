"""The canary's certificate authority is one, or is refused without being repeated."""

import base64

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import Certificate

from lambda_fn.canary import trust
from lambda_fn.settings import parse_toml
from sandbox.certificates import Authority, Leaf
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
    canary = f"repository = 'team/a', reference = 'x', certificate_authority = '{authority}'"
    return f"canary = {{ {canary} }}\n{SMALLEST}"


def test_the_canary_trusts_the_authority_of_the_settings_besides_the_public_ones() -> None:
    canary = parse_toml(with_authority(encoded(pem(AUTHORITY.certificate))), "my.toml").canary
    assert canary is not None
    own = f"{AUTHORITY.certificate.serial_number:X}"
    without = canary.model_copy(update={"certificate_authority": None})
    assert own in {str(found["serialNumber"]).lstrip("0") for found in trust(canary).get_ca_certs()}
    assert len(trust(canary).get_ca_certs()) == len(trust(without).get_ca_certs()) + 1


def test_several_authorities_may_stand_in_one_text() -> None:
    both = encoded(pem(AUTHORITY.certificate), pem(Authority.create().certificate))
    assert parse_toml(with_authority(both), "my.toml").canary


@pytest.mark.parametrize(
    ("authority", "message"),
    [
        ("Zm9v", "canary: certificate_authority must be the PEM certificate of an authority in base64"),
        ("Zm9vYg", "canary: certificate_authority must be the PEM certificate"),
        ("/w==", "canary: certificate_authority must be the PEM certificate"),
        (encoded(pem(SERVER)), "canary: certificate_authority holds a certificate that is no authority's"),
        (encoded(PRIVATE), "canary: certificate_authority holds a private key"),
        (encoded(pem(AUTHORITY.certificate), PRIVATE), "canary: certificate_authority holds a private key"),
    ],
    ids=["text", "cut", "bytes", "server", "key", "both"],
)
def test_what_is_no_authority_is_refused_and_not_repeated(authority: str, message: str) -> None:
    (found,) = mistakes(with_authority(authority))
    assert found.startswith(message)
    assert authority not in found
