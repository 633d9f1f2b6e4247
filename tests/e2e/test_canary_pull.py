"""The canary through the public domain, on the real node: nginx, its certificate, its names."""

import base64
import json
import ssl
import uuid

import httpx2
import pytest

from lambda_fn.contract.errors import CanaryError
from lambda_fn.edges.canary import Canary
from lambda_fn.settings import Canary as Image
from lambda_fn.settings import Settings
from testbed.sandbox import installation
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.world import World

pytestmark = pytest.mark.usefixtures("installed")


def deployed(world: World, reference: str | None = None, domain: str | None = None) -> Settings:
    image = Image(repository=world.app_repository, reference=reference or world.app_tag)
    return installation.settings(world).model_copy(update={"canary": image, "domain": domain or world.domain})


def test_a_run_for_the_canary_pulls_counts_and_touches_nothing_else(world: World, control: Control) -> None:
    mark = control.mark()
    invocation = installation.refresh(world, {"canary": True}, deployed(world))
    assert invocation.payload["canary"]["succeeded"], invocation.log
    assert list(invocation.payload) == ["canary"]
    (counted,) = (json.loads(line) for line in invocation.log.splitlines() if "CloudWatchMetrics" in line)
    assert counted["CanarySuccess"] == [1.0]
    assert counted["CanarySeconds"][0] > 0
    assert "RefreshSucceeded" not in counted
    assert control.requests(mark).count("ecr") == 0, "a token was asked for"


def test_a_canary_that_finds_the_image_gone_leaves_the_refresh_a_success(world: World) -> None:
    invocation = installation.refresh(world, {}, deployed(world, reference="gone"))
    assert invocation.error is None, invocation.log
    assert invocation.payload["changed"] == ["Secret aws-registry"]
    canary = invocation.payload["canary"]
    assert not canary["succeeded"]
    assert f"manifests/gone at https://{world.domain} answered 404" in canary["message"]
    counted = [json.loads(line) for line in invocation.log.splitlines() if "CloudWatchMetrics" in line]
    assert [c[name] for c in counted for name in ("RefreshSucceeded", "CanarySuccess") if name in c] == [[1.0], [0.0]]


def test_a_domain_without_a_record_is_said_to_have_none(world: World) -> None:
    with pytest.raises(CanaryError, match="the name does not resolve"):
        Canary(deployed(world, domain="no-such-name.frontdoor.test")).pull()


def test_a_certificate_of_an_unknown_authority_is_not_accepted(world: World) -> None:
    nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with pytest.raises(CanaryError, match="the certificate is not accepted: unable to get local issuer"):
        Canary(deployed(world), transport=httpx2.HTTPTransport(verify=nobody)).pull()


def test_an_internal_authority_is_trusted_once_the_settings_name_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")  # by which all of the sandbox trusts its authority
    settings = deployed(world)
    with pytest.raises(CanaryError, match="the certificate is not accepted"):
        Canary(settings).pull()
    authority = base64.b64encode(world.ca.certificate.read_bytes()).decode()
    image = Image(repository=world.app_repository, reference=world.app_tag, certificate_authority=authority)
    assert Canary(settings.model_copy(update={"canary": image})).pull() > 0


def test_an_ecr_that_is_down_is_the_proxys_own_status(world: World, control: Control) -> None:
    with (
        control.behaving(Behaviour(registry_status=503)),
        pytest.raises(CanaryError, match="answered 503"),
    ):
        Canary(deployed(world, reference=f"never-{uuid.uuid4().hex}")).pull()
