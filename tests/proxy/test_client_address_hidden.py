"""Behind a load balancer that sends no PROXY protocol yet: `manifests = "external"` before its target group is set."""

import uuid

import pytest

from lambda_fn.contract.paths import HTTP_PORT, PROXY_PROTOCOL_PORT
from lambda_fn.settings import Settings
from testbed.sandbox.pod import Pod
from tests.proxy.balancer import BALANCER, STRANGER, SUBNETS, ask, header

CLIENT = "203.0.113.9"


@pytest.fixture(scope="module")
def exposure() -> str:
    return f'kind = "nlb"\nsubnets = {SUBNETS}\ncertificate_zone_id = "Z12"'


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"manifests": "external"})


def client_of(proxy: Pod, source: str, port: int, beginning: bytes = b"") -> str:
    """What counts as one client behind the front."""
    path = f"/v2/team/{uuid.uuid4().hex}/tags/list"
    ask(path, source=source, port=port, beginning=beginning)
    found = proxy.access_log("ecr", path)[-1]["client"]
    assert isinstance(found, str)
    return found


@pytest.mark.rule("R67")
def test_a_load_balancer_that_names_no_client_is_none_itself(proxy: Pod) -> None:
    assert client_of(proxy, BALANCER, HTTP_PORT) == ""
    assert client_of(proxy, STRANGER, HTTP_PORT) == STRANGER


@pytest.mark.rule("R67")
def test_the_port_for_proxy_protocol_names_clients_before_they_are_led_to_it(proxy: Pod) -> None:
    assert client_of(proxy, BALANCER, PROXY_PROTOCOL_PORT, header(CLIENT)) == CLIENT
