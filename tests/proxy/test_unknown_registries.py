"""Without mirrors, a client that names a registry which this one does not stand for gets 404, and not another image."""

import secrets

import pytest

from lambda_fn.contract.registries import ecr_hosts
from lambda_fn.settings import Settings
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.world import World
from tests.proxy.client import ACCEPT, Client
from tests.proxy.mirrors import message

pytestmark = pytest.mark.usefixtures("proxy")


@pytest.fixture(scope="module", params=[1, 2], ids=["one registry", "two registries"])
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    return settings.model_copy(update={"registries": settings.registries[: request.param]})


@pytest.mark.rule("R157")
@pytest.mark.parametrize(
    "part", ["manifests/1", "manifests/{digest}", "blobs/{layer}", "tags/list", "referrers/{digest}"]
)
def test_the_name_of_a_registry_that_this_one_does_not_stand_for_is_404(
    client: Client, control: Control, publisher: Publisher, part: str
) -> None:
    """As of a node whose `_default` file names the front door: `quay.io/team/app` is another image."""
    image = publisher.image("team/app", "1", [secrets.token_bytes(100)])
    path = f"/v2/team/app/{part.format(digest=image.digest, layer=image.layers[0])}"
    assert client.get(path, ACCEPT).status == 200
    mark = control.mark()
    for other in ("quay.io", "docker.io", "999999999999.dkr.ecr.ap-southeast-2.amazonaws.com", "example.net:443"):
        answer = client.get(f"{path}?ns={other}", ACCEPT)
        assert (answer.status, answer.error_code()) == (404, "NAME_UNKNOWN"), other
        assert message(answer).startswith("the client asks for an image of another registry")
    assert control.requests(mark).entries == ()


@pytest.mark.rule("R157")
def test_the_domain_and_the_hosts_of_ecr_name_this_registry(client: Client, world: World, publisher: Publisher) -> None:
    image = publisher.image("team/app", "1", [secrets.token_bytes(100)])
    domain = world.domain
    with_ports = (f"{domain}:443", f"{domain.upper()}%3A443", f"{domain}%3a8443")
    for name in (domain, domain.upper(), *with_ports, *ecr_hosts(world.account, world.region)):
        for path in ("manifests/1", f"blobs/{image.layers[0]}", "tags/list"):
            assert client.get(f"/v2/team/app/{path}?ns={name}", ACCEPT).status == 200, (name, path)
    assert client.get("/v2/?ns=quay.io").status == 200, "a check is of no repository"
