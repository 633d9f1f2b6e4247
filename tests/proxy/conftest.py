"""A running proxy before the ECR double, healthy before every test, and what must hold after each one."""

import os
import re
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from lambda_fn.settings import Settings, parse_toml
from sandbox.cloud.control import Control
from sandbox.cloud.publish import Publisher
from sandbox.cloud.tokens import Token
from sandbox.world import World
from tests.canary import leaks
from tests.proxy.client import Client
from tests.proxy.pod import Pod

SERVICE = 'kind = "service"'
POD = 'kind = "pod"\ntls_secret = "registry-tls"'


@pytest.fixture(scope="session")
def world() -> World:
    try:
        return World.current()
    except RuntimeError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def trust(world: World) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(world.ca.certificate))


@pytest.fixture
def control(world: World) -> Iterator[Control]:  # noqa: ARG001 - where there is no world there is no double
    double = Control()
    double.wait_until_ready()
    double.reset()
    yield double
    double.reset()


@pytest.fixture
def token(control: Control, world: World) -> Token:
    return control.issue_token(world.region)


@pytest.fixture
def publisher(trust: ssl.SSLContext, world: World, token: Token) -> Iterator[Publisher]:
    with httpx2.Client(verify=trust, trust_env=False) as session:
        yield Publisher(session, world.ecr_host, token.authorization)


@pytest.fixture
def settings_of(world: World) -> Callable[[str], Settings]:
    def make(exposure: str) -> Settings:
        return parse_toml(
            f"""
            domain = "{world.domain}"
            cluster = {{ name = "{world.cluster}", region = "{world.region}" }}
            [[registries]]
            account = "{world.account}"
            region = "{world.region}"
            repositories = ["team/*", "base"]
            [[registries]]
            account = "{world.other_account}"
            region = "{world.region}"
            repositories = ["other/*", "team/never-reached"]
            [proxy]
            drain_seconds = 30
            [proxy.exposure]
            {exposure}
            """,
            "the test's settings",
        )

    return make


@pytest.fixture
def pod(tmp_path: Path, world: World, settings_of: Callable[[str], Settings], token: Token) -> Iterator[Pod]:
    """A pod with everything mounted and nothing started."""
    folder = tmp_path / "pod"
    folder.mkdir()
    made = Pod(folder, world, settings_of(SERVICE))
    made.give(dict.fromkeys(world.ecr_hosts, token.authorization))
    yield made
    made.stop()


@pytest.fixture
def proxy(pod: Pod) -> Pod:
    """The pod, serving."""
    pod.start()
    return pod


@pytest.fixture
def client(pod: Pod, world: World, token: Token) -> Iterator[Client]:
    """An anonymous client. Whatever a test is about: no secret and no name of ECR's gets out, and nginx is well."""
    made = Client()
    yield made
    pod.stop()
    told = "\n".join(answer.text() for answer in made.seen)
    written = pod.logs()
    assert leaks(token.authorization, told + written) == []
    for host in (*world.ecr_hosts, world.layer_host):
        assert host not in told
    for secret in ("X-Amz-Signature", "X-Amz-Security-Token", "X-Amz-Credential", "Authorization"):
        assert secret.lower() not in written.lower()
    assert re.findall(r".*\[(?:emerg|alert|crit)\].*", written) == []
