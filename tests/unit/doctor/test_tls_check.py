"""The certificate of the domain, shown by a real TLS server on this machine."""

import socket
import ssl
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cli.doctor.checks import tls
from cli.doctor.context import CheckContext
from cli.doctor.finding import Verdict
from testbed.sandbox.certificates import VALID_FOR, Authority, Leaf
from tests.fakes.aws import FakeAws
from tests.unit.doctor.account import SETTINGS, findings

AUTHORITY = Authority.create()


def serve(listener: socket.socket, context: ssl.SSLContext) -> None:
    """Complete a handshake with each client, until the listener is closed."""
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with suppress(OSError), context.wrap_socket(connection, server_side=True) as secured:
                secured.recv(1)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    """A TLS server with a certificate for the domain, or for the name in the parameter, instead of port 443."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = getattr(request, "param", SETTINGS.domain)
    certificate = AUTHORITY.issue(Leaf("domain", name, (name,)), key)
    pair = tmp_path / "pair.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pair.write_bytes(certificate.public_bytes(Encoding.PEM) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connect = socket.create_connection
        monkeypatch.setattr(
            socket, "create_connection", lambda _, timeout: connect(listener.getsockname(), timeout=timeout)
        )
        thread = Thread(target=serve, args=(listener, context))
        thread.start()
        yield
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def trusting(*authorities: Authority) -> CheckContext:
    assert SETTINGS.canary is not None
    pem = b"".join(one.certificate.public_bytes(Encoding.PEM) for one in authorities)
    canary = SETTINGS.canary.model_copy(update={"certificate_authority": b64encode(pem).decode() if pem else None})
    return CheckContext(settings=SETTINGS.model_copy(update={"canary": canary}), aws=FakeAws({}), timeout_seconds=5)


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("days_left", "verdict"), [(20, Verdict.OK), (13, Verdict.WARNING)], ids=["20 days left", "13 days left"]
)
def test_a_certificate_that_expires_within_two_weeks_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, days_left: int, verdict: Verdict
) -> None:
    expires_at = datetime.now(UTC) + VALID_FOR
    monkeypatch.setattr(CheckContext, "now", expires_at - timedelta(days=days_left))
    (one,) = findings(tls.CHECK, trusting(AUTHORITY))
    assert (one.verdict, one.fatal) == (verdict, False)
    assert f"{expires_at:%F}" in one.message


@pytest.mark.usefixtures("server")
def test_a_certificate_of_an_unknown_authority_is_fatal() -> None:
    (one,) = findings(tls.CHECK, trusting())
    assert (one.verdict, one.fatal) == (Verdict.FAILED, True)
    assert "canary.certificate_authority" in one.hint


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("server", ["other.example.net"], indirect=True)
def test_a_certificate_for_another_name_is_fatal() -> None:
    (one,) = findings(tls.CHECK, trusting(AUTHORITY))
    assert (one.verdict, one.fatal) == (Verdict.FAILED, True)
    assert "name" in one.hint


def test_a_domain_without_tls_is_fatal(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> socket.socket:
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(socket, "create_connection", refuse)
    (one,) = findings(tls.CHECK, trusting(AUTHORITY))
    assert (one.verdict, one.fatal) == (Verdict.FAILED, True)
    assert f"{SETTINGS.domain}:443" in one.message
    assert "Connection refused" in one.message
