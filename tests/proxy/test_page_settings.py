"""A page that is off, one without a catalogue, and how much of it one client gets."""

from collections.abc import Callable

import pytest

from lambda_fn.settings import Page, Settings
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from tests.proxy.client import Client
from tests.proxy.limited import EXPOSURE, HONEST, HOSTILE, of

PATHS = ("/", "/-/page/page.js", "/-/catalogue/index.json", "/-/status.json")
NORMAL = 60
"""Requests at once, of three browsers."""

Asks = Callable[..., list[int]]


@pytest.fixture(scope="module")
def exposure() -> str:
    return EXPOSURE


@pytest.fixture(scope="module", params=[Page(enabled=False), Page()], ids=["off", "without a catalogue"])
def settings(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    return settings.model_copy(update={"page": request.param})


@pytest.fixture
def asks(client: Client, world: World) -> Asks:
    def statuses(*paths: str, address: str = HONEST) -> list[int]:
        headers = {"Host": world.domain, "X-Forwarded-For": address, "Accept": "text/html"}
        return [client.get(path, headers).status for path in paths]

    return statuses


@pytest.mark.rule("R100", "R102")
def test_what_is_off_is_404(proxy: Pod, asks: Asks) -> None:
    expected = [200, 200, 404, 200] if proxy.settings.page.enabled else [404] * 4
    assert asks(*PATHS) == expected


@pytest.mark.rule("R100")
def test_a_client_that_asks_too_often_gets_429_and_others_the_page(proxy: Pod, asks: Asks, client: Client) -> None:
    if not proxy.settings.page.enabled:
        assert set(asks(*["/"] * 200, address=HOSTILE)) == {404}
        return
    assert set(asks(*["/-/status.json", "/"] * (NORMAL // 2))) == {200}
    flood = asks(*["/-/status.json", "/", "/-/page/style.css"] * 200, address=HOSTILE)
    assert set(flood) == {200, 429}
    assert "this registry limits the requests of each client" in client.seen[-1].body.decode() or flood[-1] == 200
    assert asks("/") == [200]
    assert client.get("/v2/", of(HOSTILE)).status == 200, "pulls have limits of their own"
