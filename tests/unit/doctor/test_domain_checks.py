"""The domain: its address, a certificate that is not accepted, the proxy's answers, and the image to pull."""

import ipaddress
import socket
from base64 import b64encode
from ssl import SSLCertVerificationError

import pytest
import urllib3
from cryptography.hazmat.primitives.serialization import Encoding
from urllib3.exceptions import ProtocolError

from cli.doctor.checks import all_checks, dns, pull, registry
from cli.doctor.checks.pull import image_to_pull
from cli.doctor.checks.tls import untrusted
from cli.doctor.context import CheckContext
from cli.doctor.examination import examine
from cli.doctor.finding import Verdict
from lambda_fn.contract.errors import CanaryError
from lambda_fn.settings import Canary, Settings
from testbed.sandbox.certificates import Authority
from tests.fakes.aws import FakeAws
from tests.unit.doctor.account import SETTINGS, context, findings

OK, WARNING, FAILED, SKIPPED = Verdict.OK, Verdict.WARNING, Verdict.FAILED, Verdict.SKIPPED
EXPIRED, UNKNOWN_ISSUER, OTHER_NAME = 10, 20, 62
"""https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/"""


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    def getaddrinfo(*_: object, **__: object) -> list[tuple[object, ...]]:
        if not addresses:
            raise socket.gaierror
        return [(2, 1, 6, "", (str(ipaddress.ip_address(address)), 443)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize(("address", "verdict"), [("10.1.0.7", OK), ("8.8.8.8", WARNING)])
def test_a_public_address_is_a_warning(monkeypatch: pytest.MonkeyPatch, address: str, verdict: Verdict) -> None:
    resolve_to(monkeypatch, address)
    (one,) = findings(dns.CHECK, context())
    assert one.verdict is verdict
    assert address in one.message


def test_a_domain_without_an_address_is_the_only_finding_of_its_category(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch)
    checks = [check for check in all_checks() if check.category == "domain"]
    (one,) = examine(checks, context())
    assert (one.check, one.verdict) == ("dns", FAILED)
    assert SETTINGS.domain in one.message


@pytest.mark.parametrize(
    ("code", "hint"), [(UNKNOWN_ISSUER, "canary.certificate_authority"), (EXPIRED, "renew"), (OTHER_NAME, "name")]
)
def test_only_the_fix_for_an_unknown_authority_is_to_trust_it(code: int, hint: str) -> None:
    error = SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, "the message of OpenSSL"
    one = untrusted("registry.example.net", error)
    assert (one.verdict, one.fatal) == (FAILED, True)
    assert "registry.example.net" in one.message
    assert "the message of OpenSSL" in one.message
    assert hint in one.hint
    assert ("SSL_CERT_FILE" in one.hint) == (code == UNKNOWN_ISSUER)


PING, PUSH = ("GET", "https://registry.example.net/v2/"), ("POST", "https://registry.example.net/v2/-/blobs/uploads/")
VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}


@pytest.mark.parametrize(
    ("ping", "version", "push", "verdict", "message"),
    [
        (200, VERSION, 405, OK, "registry.example.net"),
        (401, VERSION, 405, FAILED, "401"),
        (200, {}, 405, FAILED, "200"),
        (200, VERSION, 202, FAILED, "202"),
    ],
)
def test_only_a_registry_without_login_that_refuses_a_push_is_ok(
    monkeypatch: pytest.MonkeyPatch, ping: int, version: dict[str, str], push: int, verdict: Verdict, message: str
) -> None:
    answers = {PING: (ping, version), PUSH: (push, VERSION)}

    def request(_: object, method: str, url: str, **__: object) -> urllib3.HTTPResponse:
        status, headers = answers[method, url]
        return urllib3.HTTPResponse(status=status, headers=headers)

    monkeypatch.setattr(urllib3.PoolManager, "request", request)
    (one,) = findings(registry.CHECK, context())
    assert (one.verdict, one.fatal) == (verdict, False)
    assert message in one.message


def test_a_connection_that_breaks_is_fatal(monkeypatch: pytest.MonkeyPatch) -> None:
    def request(*_: object, **__: object) -> urllib3.HTTPResponse:
        raise ProtocolError

    monkeypatch.setattr(urllib3.PoolManager, "request", request)
    (one,) = findings(registry.CHECK, context())
    assert (one.verdict, one.fatal) == (FAILED, True)
    assert "ProtocolError" in one.message


def named(image: str | None, settings: Settings = SETTINGS) -> CheckContext:
    return CheckContext(settings=settings, aws=FakeAws({}), image=image)


def test_an_image_that_is_not_valid_is_a_failure_that_quotes_it() -> None:
    (one,) = findings(pull.CHECK, named("no image"))
    assert one.verdict is FAILED
    assert "no image" in one.message


def test_without_an_image_the_pull_is_skipped() -> None:
    (one,) = findings(pull.CHECK, named(None, SETTINGS.model_copy(update={"canary": None})))
    assert one.verdict is SKIPPED
    assert "--image" in one.message


@pytest.mark.parametrize("image", ["team/app:1.4", f"team/app@sha256:{'a' * 64}"])
def test_a_pull_is_of_the_image_named_and_its_error_is_quoted(monkeypatch: pytest.MonkeyPatch, image: str) -> None:
    monkeypatch.setattr("cli.doctor.checks.pull.Canary.pull", lambda _: 1.25)
    (good,) = findings(pull.CHECK, named(image))

    def fail(_: object) -> float:
        raise CanaryError("it answered 404")

    monkeypatch.setattr("cli.doctor.checks.pull.Canary.pull", fail)
    (bad,) = findings(pull.CHECK, named(image))
    assert (good.verdict, bad.verdict) == (OK, FAILED)
    assert image in good.message
    assert f"{image}: it answered 404" in bad.message


def an_authority() -> str:
    return b64encode(Authority.create().certificate.public_bytes(Encoding.PEM)).decode()


def test_the_certificate_authority_of_the_canary_is_trusted_as_well_as_the_public_ones() -> None:
    assert SETTINGS.canary is not None
    canary = SETTINGS.canary.model_copy(update={"certificate_authority": an_authority()})
    without, public, private = (
        len(named(None, SETTINGS.model_copy(update={"canary": one})).trusted.get_ca_certs())
        for one in (None, SETTINGS.canary, canary)
    )
    assert (public, private) == (without, without + 1)


def test_the_image_named_is_pulled_with_the_certificate_authority_of_the_canary() -> None:
    canary = Canary(repository="team/canary", reference="latest", certificate_authority=an_authority())
    assert image_to_pull("team/app:1.4", canary) == Canary(
        repository="team/app", reference="1.4", certificate_authority=canary.certificate_authority
    )


def test_without_a_name_the_image_is_that_of_the_canary_if_any() -> None:
    assert image_to_pull(None, SETTINGS.canary) == SETTINGS.canary
    assert image_to_pull(None, None) is None
