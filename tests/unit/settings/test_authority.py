"""The canary's certificate authority is one, or is refused without being repeated."""

import base64
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import Certificate

from lambda_fn.settings import parse_json, parse_toml, to_json
from lambda_fn.settings.authority import pem as read
from testbed.sandbox.certificates import Authority, Leaf
from tests.unit.settings.files import SMALLEST, mistakes, with_line

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


def with_canary(authority: str) -> str:
    canary = f"repository = 'team/a', reference = 'x', certificate_authority = {authority}"
    return f"canary = {{ {canary} }}\n{SMALLEST}"


def with_cluster(authority: str) -> str:
    text = with_line("[cluster]", f"endpoint = 'https://10.0.0.1'\ncertificate_authority = {authority}")
    return text.replace("[proxy]\n", "[proxy]\nresolver = '10.0.0.10'\n")


def with_authority(authority: str) -> str:
    return with_canary(f'"{authority}"')


PLACES = pytest.mark.parametrize(
    ("place", "key"),
    [(with_canary, "canary.certificate_authority"), (with_cluster, "cluster.certificate_authority")],
    ids=["canary", "cluster"],
)


def test_of_a_file_the_certificates_count_and_nothing_around_them() -> None:
    file = encoded("# Autorität\n".encode(), pem(AUTHORITY.certificate), b"# the end\n")
    settings = parse_toml(with_authority(file), "my.toml")
    assert settings.canary
    assert settings.canary.certificate_authority == encoded(pem(AUTHORITY.certificate))
    assert parse_json(to_json(settings), "settings.json") == settings
    assert read(file).encode() == pem(AUTHORITY.certificate).strip()


def test_several_authorities_may_stand_in_one_text() -> None:
    both = encoded(pem(AUTHORITY.certificate), pem(Authority.create().certificate))
    assert parse_toml(with_authority(both), "my.toml").canary


def test_the_certificate_of_the_kubernetes_api_is_read_like_that_of_the_domain() -> None:
    authority = encoded(pem(AUTHORITY.certificate))
    assert parse_toml(with_cluster(f"'{authority}'"), "my.toml").cluster.certificate_authority == authority


def block(label: str, body: bytes) -> bytes:
    return f"-----BEGIN {label}-----\n".encode() + body + f"\n-----END {label}-----\n".encode()


TEXT = encoded(PRIVATE)
ONE_LINE = PRIVATE.decode().replace("\n", "\\n")
WANTED, NOT_A_CA, A_KEY = (
    "must be the PEM certificate of a CA in base64",
    "holds a certificate that is not",
    "holds a pri",
)


@PLACES
@pytest.mark.parametrize(
    ("authority", "reason"),
    [
        pytest.param("'Zm9v'", WANTED, id="text"),
        pytest.param("'Zm9vYg'", WANTED, id="cut"),
        pytest.param("'/w=='", WANTED, id="bytes"),
        pytest.param("''", WANTED, id="empty"),
        pytest.param(f"'{encoded(pem(SERVER))}'", NOT_A_CA, id="server"),
        pytest.param(f"'{TEXT}'", A_KEY, id="key"),
        pytest.param(f"'{encoded(pem(AUTHORITY.certificate), PRIVATE)}'", A_KEY, id="both"),
        pytest.param(
            f"'{encoded(block('EC PARAMETERS', b'BggqhkjOPQMBBw=='))}'", "holds a PEM block", id="other block"
        ),
        pytest.param(f'"{ONE_LINE}"', WANTED, id="key as it is"),
        pytest.param(f'"{TEXT[:76]}\\n{TEXT[76:]}"', WANTED, id="key on two lines"),
        pytest.param(f"'{encoded(block('CERTIFICATE', 'MIIBä'.encode()))}'", WANTED, id="not ASCII"),
        pytest.param(f"'{encoded(block('CERTIFICATE', b'MIIB' + bytes(4)))}'", WANTED, id="NUL"),
        pytest.param(f"['{TEXT}']", "must be text in quotes", id="key in a list"),
        pytest.param(f"{{ key = '{TEXT}' }}", "must be text in quotes", id="key in a table"),
        pytest.param("true", "must be text in quotes", id="true"),
    ],
)
def test_a_value_that_is_not_a_ca_is_refused_and_not_repeated(
    place: Callable[[str], str], key: str, authority: str, reason: str
) -> None:
    (found,) = mistakes(place(authority))
    assert found.startswith(f"{key}: {reason}")
    assert not repeated(authority, found)


@pytest.mark.parametrize("table", ["canary", "cluster"])
@pytest.mark.parametrize("shape", ["[[{}]]\n{}", "[{}.kind]\n{}", "[[{}.name]]\n{}", "[[proxy.exposure.{}]]\n{}"])
def test_a_value_is_not_repeated_for_a_mistake_of_the_table_around_it(shape: str, table: str) -> None:
    text = SMALLEST.replace('[cluster]\nname = "shared"\nregion = "ap-southeast-2"\n', "")
    line = f"certificate_authority = '{TEXT}'"
    found = "\n".join(mistakes(f"{text}\n{shape.format(table, line)}"))
    assert not repeated(TEXT, found)


def repeated(authority: str, message: str) -> list[str]:
    """The pieces of the value that the message has."""
    if len(authority) <= 20:
        return []
    return [piece for start in range(0, len(authority) - 20, 5) if (piece := authority[start : start + 20]) in message]
