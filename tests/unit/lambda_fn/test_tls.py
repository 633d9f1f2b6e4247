"""Which certificates are taken, as Python 3.13 would have it and as this project does."""

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lambda_fn.edges import tls

HOST = "cluster.example.net"
KEY = ec.generate_private_key(ec.SECP256R1())
PRIVATE = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
)


def certificate(name: str, *, authority: bool = False, days: int = 2) -> bytes:
    """A bare certificate, as old tools make them: no key identifiers, no key usage."""
    subject, issuer = (x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, n)]) for n in (name, "authority"))
    start = datetime.now(tz=UTC) - timedelta(days=1)
    made = x509.CertificateBuilder(issuer, subject, KEY.public_key(), x509.random_serial_number())
    made = made.not_valid_before(start).not_valid_after(start + timedelta(days=days, seconds=-60))
    if authority:
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    else:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return made.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


AUTHORITY = certificate("authority", authority=True).decode()


def strict(context: ssl.SSLContext) -> ssl.SSLContext:
    """As `ssl.create_default_context` makes them from Python 3.13 on."""
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def shake_hands(client: ssl.SSLContext, shown: bytes, folder: Path) -> None:
    """A TLS handshake in memory with a server that shows this certificate."""
    file = folder / "server.pem"
    file.write_bytes(shown + PRIVATE)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(to_client, to_server, server_hostname=HOST),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for side in sides * 3:
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    assert sides[0].version()


def test_a_certificate_without_key_identifiers_is_refused_by_python_and_taken_here(tmp_path: Path) -> None:
    shown = certificate(HOST)
    as_python = strict(ssl.create_default_context(cadata=AUTHORITY))
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(as_python, shown, tmp_path)
    shake_hands(tls.without_strict_x509(as_python), shown, tmp_path)


@pytest.mark.parametrize("make", [tls.context_trusting, tls.client_context])
def test_no_way_to_trust_has_the_strictness_of_python_3_13(
    make: Callable[[str], ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    from_python = ssl.create_default_context
    monkeypatch.setattr(tls, "create_default_context", lambda **given: strict(from_python(**given)))
    assert not make(AUTHORITY).verify_flags & ssl.VERIFY_X509_STRICT


@pytest.mark.parametrize(
    ("shown", "reason"),
    [
        (certificate("another.example.net"), "Hostname mismatch"),
        (certificate(HOST, days=1), "certificate has expired"),
    ],
    ids=["name", "time"],
)
def test_name_and_time_are_verified_all_the_same(shown: bytes, reason: str, tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        shake_hands(tls.context_trusting(AUTHORITY), shown, tmp_path)
    wrapped = RuntimeError("no connection")
    wrapped.__cause__ = caught.value
    assert reason in str(tls.certificate_error(wrapped))


def test_another_authority_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(tls.client_context(None), certificate(HOST), tmp_path)


def test_an_error_of_another_kind_is_no_refusal() -> None:
    assert tls.certificate_error(ConnectionResetError("reset")) is None


def test_the_authority_of_the_settings_is_trusted_besides_the_public_ones() -> None:
    with_own, without = tls.client_context(AUTHORITY), tls.client_context(None)
    assert len(with_own.get_ca_certs()) == len(without.get_ca_certs()) + 1
