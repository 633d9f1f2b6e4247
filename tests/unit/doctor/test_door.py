"""What the door's checks make of a certificate that is refused, and of the image that is named."""

from base64 import b64encode
from ssl import SSLCertVerificationError

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from cli.doctor.door import refused, to_pull, trusted
from cli.doctor.finding import Verdict
from cli.doctor.site import Site
from lambda_fn.settings import Canary, Settings
from testbed.sandbox.certificates import Authority
from tests.fakes.aws import FakeAws
from tests.unit.doctor.account import SETTINGS

EXPIRED, UNKNOWN_ISSUER, OTHER_NAME = 10, 20, 62
"""https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/"""


@pytest.mark.parametrize(
    ("code", "way_out"),
    [(UNKNOWN_ISSUER, "SSL_CERT_FILE"), (EXPIRED, "renew it"), (OTHER_NAME, "renew it, or give it the right name")],
)
def test_only_an_authority_that_is_unknown_here_is_to_be_trusted_here(code: int, way_out: str) -> None:
    error = SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, "so OpenSSL says"
    one = refused("registry.example.net", error)
    assert (one.check, one.verdict) == ("tls", Verdict.FAILED)
    assert "registry.example.net is refused: so OpenSSL says" in one.said
    assert one.way_out.startswith(("trust", "renew"))
    assert way_out in one.way_out
    assert ("SSL_CERT_FILE" in one.way_out) == (code == UNKNOWN_ISSUER)


def site(image: str | None, authority: str | None) -> Site:
    assert SETTINGS.canary is not None
    canary = SETTINGS.canary.model_copy(update={"certificate_authority": authority})
    settings: Settings = SETTINGS.model_copy(update={"canary": canary})
    return Site(settings=settings, aws=FakeAws({}), image=image)


def an_authority() -> str:
    return b64encode(Authority.create().certificate.public_bytes(Encoding.PEM)).decode()


def test_the_settings_own_authority_is_trusted_here_besides_the_public_ones() -> None:
    without = SETTINGS.model_copy(update={"canary": None})
    usual = len(trusted(without).get_ca_certs())
    assert len(trusted(site(None, None).settings).get_ca_certs()) == usual
    assert len(trusted(site(None, an_authority()).settings).get_ca_certs()) == usual + 1


def test_an_image_that_is_named_is_pulled_under_the_settings_own_authority() -> None:
    authority = an_authority()
    assert to_pull(site("team/app:1.4", authority)) == Canary(
        repository="team/app", reference="1.4", certificate_authority=authority
    )


def test_without_a_name_it_is_the_canarys_image_or_none() -> None:
    usual = site(None, None)
    assert to_pull(usual) == SETTINGS.canary
    without = SETTINGS.model_copy(update={"canary": None})
    assert to_pull(Site(settings=without, aws=FakeAws({}))) is None
