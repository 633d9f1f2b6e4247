"""Real clients and one pod of the proxy in front of the ECR double, which is healthy before every test."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import pytest

from lambda_fn.settings import Settings, parse_toml
from testbed.clients.client import Client
from testbed.clients.kinds import KINDS
from testbed.sandbox import image, installation
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.tokens import Token
from testbed.sandbox.hosts import point, point_domain
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from tests.clients.place import Image, Places


@pytest.fixture(autouse=True)
def healthy(control: Control) -> Control:
    """Every test begins and ends with a healthy double."""
    return control


@pytest.fixture(scope="session")
def token(double: Control, world: World) -> Token:
    return double.issue_token(world.region)


@pytest.fixture(scope="session")
def private_login(world: World, token: Token) -> Mapping[str, str]:
    """What a client logs in with to push to the private registry, or to pull without the proxy."""
    return {world.ecr_host: token.login}


@pytest.fixture(scope="session")
def settings(world: World) -> Settings:
    """The sandbox's settings, as the demo has them: TLS ends in the pod."""
    return parse_toml(installation.toml(world, image=image.proxy_image(world)), "the test's settings")


@pytest.fixture(scope="session")
def app(world: World) -> Image:
    """The application's image, in the private registry."""
    return Image.pushed(world)


@pytest.fixture(scope="session")
def multi(world: World) -> Image:
    """An image for two platforms, in the private registry."""
    return Image.pushed_for_platforms(world)


@pytest.fixture
def places(
    tmp_path_factory: pytest.TempPathFactory, world: World, settings: Settings, token: Token
) -> Iterator[Places]:
    """Makes pods; the domain leads to the one that runs."""
    point_domain(world, "127.0.0.1")
    yield Places(tmp_path_factory, world, settings, token)
    point(world, {})


@pytest.fixture
def pod(places: Places) -> Iterator[Pod]:
    """A pod that has served nothing yet."""
    with places.pod() as made:
        yield made


@pytest.fixture(scope="session")
def clients(world: World) -> Iterator[dict[str, Client]]:
    """Every client, by its name; the daemons run until the end."""
    with ExitStack() as stack:
        yield {kind.name: stack.enter_context(kind.running(world)) for kind in KINDS}
