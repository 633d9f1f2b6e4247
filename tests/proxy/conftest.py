"""A proxy in front of the ECR double, which is healthy before every test, and the leak checks of every test."""

import re
import secrets
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from lambda_fn.settings import Settings, parse_toml
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.cloud.tokens import Token
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from tests.leaks import leaks
from tests.proxy.client import Client
from tests.proxy.replicated import Regions
from tests.proxy.revalidated import Repository

SECRETS = ("X-Amz-Signature", "X-Amz-Security-Token", "X-Amz-Credential", "Authorization")


@pytest.fixture(autouse=True)
def healthy(control: Control) -> Control:
    """Every test begins and ends with a healthy double."""
    return control


@pytest.fixture(scope="module")
def token(double: Control, world: World) -> Token:
    return double.issue_token(world.region)


@pytest.fixture(scope="module")
def replicas() -> str:
    """Lines of the first registry about its replica; a module about replicas overrides it."""
    return ""


@pytest.fixture(scope="module")
def auths(world: World, double: Control, token: Token, replicas: str) -> dict[str, str]:
    """The tokens in a pod's Secret, by ECR host."""
    made = dict.fromkeys(world.ecr_hosts, token.authorization)
    return made | ({world.replica_host: double.issue_token(world.replica_region).authorization} if replicas else {})


@pytest.fixture(scope="module")
def regions(trust: ssl.SSLContext, world: World, double: Control, publisher: Publisher) -> Iterator[Regions]:
    """The registry, and the one to which its images are replicated."""
    authorization = double.issue_token(world.replica_region).authorization
    with httpx2.Client(verify=trust, trust_env=False) as session:
        yield Regions(world, double, publisher, Publisher(session, world.replica_host, authorization))


@pytest.fixture(scope="module")
def publisher(trust: ssl.SSLContext, world: World, token: Token) -> Iterator[Publisher]:
    with httpx2.Client(verify=trust, trust_env=False) as session:
        yield Publisher(session, world.ecr_host, token.authorization)


@pytest.fixture(scope="module")
def exposure() -> str:
    """Lines of `[proxy.exposure]`; a module about TLS overrides it."""
    return 'kind = "service"'


PROBES_END_SECONDS = 0.5
"""A probe on its way to a socket that a stopping nginx has removed leaves a critical line."""
CONTACT = "https://wiki.example.net/registry?team=a&page=1; or #registry (chat), 100%"
"""Every pod has it, so that nginx takes each character that the setting allows."""


@pytest.fixture(scope="module")
def blobs() -> str:
    """`proxy.blobs`; a module about redirects overrides it."""
    return "stream"


@pytest.fixture(scope="module")
def timeouts() -> str:
    """Lines of `[proxy.timeouts]`; a module about time-outs overrides it."""
    return "pause_seconds = 1"


@pytest.fixture(scope="module")
def resolver(world: World) -> str:
    """`proxy.resolver`; a module about DNS overrides it."""
    return world.dns_address


@pytest.fixture
def names(world: World) -> dict[str, str]:
    """The names of ECR and S3, and their addresses."""
    known = {name: address for address, names in world.names.items() for name in names}
    return {name: known[name] for name in (*world.ecr_hosts, world.layer_host)}


@pytest.fixture(scope="module")
def settings(world: World, exposure: str, blobs: str, timeouts: str, resolver: str, replicas: str) -> Settings:
    return parse_toml(
        f"""
        domain = "{world.domain}"
        contact = "{CONTACT}"
        cluster = {{ name = "{world.cluster}", region = "{world.region}" }}
        [[registries]]
        account = "{world.account}"
        region = "{world.region}"
        repositories = ["team/*", "base"]
        {replicas}
        [[registries]]
        account = "{world.other_account}"
        region = "{world.region}"
        repositories = ["other/*", "team/special/*"]
        [proxy]
        drain_seconds = 30
        blobs = "{blobs}"
        resolver = "{resolver}"
        [proxy.cache]
        slice_mib = 1
        tag_seconds = 3
        unknown_seconds = 3
        [proxy.timeouts]
        {timeouts}
        [proxy.exposure]
        {exposure}
        """,
        "the test's settings",
    )


@pytest.fixture(scope="module")
def serving(
    tmp_path_factory: pytest.TempPathFactory, world: World, settings: Settings, auths: dict[str, str]
) -> Iterator[Pod]:
    """A serving pod that the tests of a module share and do not change."""
    with _pod(tmp_path_factory.mktemp("proxy"), world, settings, auths) as made:
        made.start()
        yield made


@pytest.fixture
def proxy(serving: Pod) -> Pod:
    """The serving pod of the module, with an empty cache."""
    serving.empty_cache()
    return serving


@pytest.fixture
def pod(tmp_path: Path, world: World, settings: Settings, auths: dict[str, str]) -> Iterator[Pod]:
    """A pod for one test, with everything mounted and nothing started. Not in one module with `proxy`."""
    folder = tmp_path / "pod"
    folder.mkdir()
    with _pod(folder, world, settings, auths) as made:
        yield made


@pytest.fixture
def started(pod: Pod) -> Pod:
    """A serving pod for one test."""
    pod.start()
    return pod


@pytest.fixture
def client(world: World, auths: dict[str, str]) -> Iterator[Client]:
    """An anonymous client. At the end, its answers must not contain a secret or a host name of ECR or S3."""
    made = Client()
    yield made
    received = "\n".join(answer.text() for answer in made.seen)
    assert [found for token in auths.values() for found in leaks(token, received)] == []
    for host in (*world.ecr_hosts, world.layer_host, world.replica_host, world.replica_layer_host, *SECRETS):
        assert host.lower() not in received.lower()


@pytest.fixture
def repositories(publisher: Publisher, client: Client) -> Callable[[], Repository]:
    """Makes repositories of one test alone."""
    return lambda: Repository(f"team/{secrets.token_hex(4)}", publisher, client)


@pytest.fixture
def repository(repositories: Callable[[], Repository]) -> Repository:
    return repositories()


@contextmanager
def _pod(folder: Path, world: World, settings: Settings, auths: dict[str, str]) -> Iterator[Pod]:
    """A pod that is stopped at the end; then its logs must have no secret and no critical line of nginx."""
    made = Pod(folder, world, settings)
    made.give(auths)
    try:
        yield made
    finally:
        if any(registry.replica for registry in settings.registries):
            time.sleep(PROBES_END_SECONDS)
        made.stop()
    written = made.logs()
    assert [found for token in auths.values() for found in leaks(token, written)] == []
    for secret in SECRETS:
        assert secret.lower() not in written.lower()
    critical = re.findall(r".*\[(?:emerg|alert|crit)\].*", written)
    assert [line for line in critical if not any(words in line for words in made.tolerated)] == []
