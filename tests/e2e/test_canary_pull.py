"""The canary pull through the domain, on the real node: nginx, its certificate and its DNS record."""

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


def canary(settings: Settings, transport: httpx2.BaseTransport | None = None) -> Canary:
    assert settings.canary is not None
    redirects = settings.proxy.blobs == "redirect"
    return Canary(settings.canary, domain=settings.domain, may_redirect_blobs=redirects, transport=transport)


def test_a_canary_run_only_pulls_and_emits_its_metrics(world: World, control: Control) -> None:
    mark = control.mark()
    invocation = installation.refresh(world, {"canary": True}, deployed(world))
    assert invocation.payload["canary"]["succeeded"], invocation.log
    assert list(invocation.payload) == ["canary"]
    (metrics,) = (json.loads(line) for line in invocation.log.splitlines() if "CloudWatchMetrics" in line)
    assert metrics["CanarySuccess"] == [1.0]
    assert metrics["CanarySeconds"][0] > 0
    assert "RefreshSucceeded" not in metrics
    assert control.requests(mark).count("ecr") == 0, "it requested a token"


def test_a_refresh_succeeds_although_its_canary_pull_fails(world: World) -> None:
    invocation = installation.refresh(world, {}, deployed(world, reference="gone"))
    assert invocation.error is None, invocation.log
    assert invocation.payload["changed"] == ["Secret aws-registry"]
    pulled = invocation.payload["canary"]
    assert not pulled["succeeded"]
    assert f"https://{world.domain}" in pulled["message"]
    assert "404" in pulled["message"]
    metrics = [json.loads(line) for line in invocation.log.splitlines() if "CloudWatchMetrics" in line]
    assert [c[name] for c in metrics for name in ("RefreshSucceeded", "CanarySuccess") if name in c] == [[1.0], [0.0]]


def test_a_domain_that_does_not_resolve_is_an_error_of_the_canary(world: World) -> None:
    with pytest.raises(CanaryError, match="resolve"):
        canary(deployed(world, domain="no-such-name.frontdoor.test")).pull()


def test_a_certificate_of_an_unknown_authority_is_an_error_of_the_canary(world: World) -> None:
    no_authority = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with pytest.raises(CanaryError, match="unable to get local issuer"):
        canary(deployed(world), transport=httpx2.HTTPTransport(verify=no_authority)).pull()


def test_an_internal_authority_is_trusted_if_the_settings_name_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")  # with which the whole sandbox trusts its authority
    settings = deployed(world)
    with pytest.raises(CanaryError, match="certificate"):
        canary(settings).pull()
    authority = base64.b64encode(world.ca.certificate.read_bytes()).decode()
    image = Image(repository=world.app_repository, reference=world.app_tag, certificate_authority=authority)
    assert canary(settings.model_copy(update={"canary": image})).pull() > 0


def test_with_ecr_down_the_canary_gets_the_status_of_the_proxy(world: World, control: Control) -> None:
    with (
        control.behaving(Behaviour(registry_status=503)),
        pytest.raises(CanaryError, match="503"),
    ):
        canary(deployed(world, reference=f"never-{uuid.uuid4().hex}")).pull()
