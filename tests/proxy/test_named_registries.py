"""Clients that name a registry, or a mirror by its path, get what a name means there, or 404, whatever table has it."""

import secrets
import ssl
from collections.abc import Callable, Iterator

import httpx2
import pytest

from lambda_fn.contract.registries import ecr_hosts
from lambda_fn.settings import Settings, parse_toml
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.imports import UPSTREAM
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.cloud.tokens import Token
from testbed.sandbox.world import World
from tests.proxy.client import ACCEPT, Client
from tests.proxy.mirrors import message

DOMAIN = "registry.frontdoor.test"
"""Of the sandbox."""
pytestmark = pytest.mark.usefixtures("proxy")


@pytest.fixture(scope="module")
def replicas(world: World) -> str:
    return f'{{ account = "{world.account}", region = "{world.replica_region}" }}'


@pytest.fixture(scope="module")
def settings(world: World, resolver: str, replicas: str) -> Settings:
    """Mirrors whose public names are those at the upstream, or end like them, beside tables of two accounts."""
    own, mirror = f'account = "{world.account}"\nreplicas = [{replicas}]', "pull_through = true"
    tables = (
        f'{own}\nrepositories = ["team/*"]\nrenames = {{ "library/own" = "team/own" }}',
        f'{own}\nrepositories = ["base/*"]\nstrip = "base/"\nprefix = "images/"',
        f'account = "{world.other_account}"\nrepositories = ["shared/*", "hub/library/special", "second/lib/special"]',
        f'{own}\n{mirror}\nrepositories = ["second/*"]',
        f'{own}\n{mirror}\nupstream = "docker.io"\nrepositories = ["library/*", "grafana/*"]\nprefix = "docker-hub/"',
        f'{own}\n{mirror}\nupstream = "quay.io"\nrepositories = ["fedora-*"]\nprefix = "quay/fedora/"',
        f'{own}\n{mirror}\nupstream = "ghcr.io"\nrepositories = ["org/*"]\nstrip = "org/"\nprefix = "ghcr/org/"',
        f'{own}\n{mirror}\nupstream = "cgr.dev"\nrepositories = ["hub/*"]\nstrip = "hub/"\nprefix = "cgr/"',
        f'{own}\n{mirror}\nupstream = "registry.k8s.io"\nrepositories = []\nrenames = {{ "pause" = "k8s/pause" }}',
    )
    registries = "\n".join(f'[[registries]]\nregion = "{world.region}"\n{table}' for table in tables)
    return parse_toml(
        f"""
        domain = "{world.domain}"
        cluster = {{ name = "{world.cluster}", region = "{world.region}" }}
        {registries}
        [proxy]
        resolver = "{resolver}"
        [proxy.exposure]
        kind = "service"
        """,
        "the test's settings",
    )


@pytest.fixture(autouse=True)
def healthy(control: Control) -> Control:
    """A double with cache rules."""
    control.set(Behaviour(pull_through=frozenset({"docker-hub", "quay", "ghcr", "cgr", "k8s", "second"})))
    return control


@pytest.fixture
def pushed(trust: ssl.SSLContext, world: World, publisher: Publisher, token: Token) -> Iterator[Callable[..., str]]:
    """Pushes an image to a repository of one of the accounts, and gives its digest."""
    with httpx2.Client(verify=trust, trust_env=False) as session:
        other = Publisher(session, world.ecr_hosts[1], token.authorization)

        def push(name: str, *, elsewhere: bool = False) -> str:
            return (other if elsewhere else publisher).image(name, "1", [secrets.token_bytes(100)]).digest

        yield push


@pytest.mark.rule("R157")
@pytest.mark.parametrize(
    ("path", "repository"),
    [
        ("/v2/library/{}/manifests/1?ns=docker.io", "docker-hub/library/{}"),
        ("/v2/grafana/{}/manifests/1?ns=docker.io", "docker-hub/grafana/{}"),
        ("/v2/fedora/fedora-{}/manifests/1?ns=quay.io", "quay/fedora/fedora-{}"),
        ("/v2/org/{}/manifests/1?ns=ghcr.io", "ghcr/org/{}"),
        ("/v2/{}/manifests/1?ns=cgr.dev", "cgr/{}"),
        ("/hub/v2/{}/manifests/1", "cgr/{}"),
        ("/hub/v2/{}/manifests/1?ns=cgr.dev", "cgr/{}"),
        ("/second/v2/lib/{}/manifests/1", "second/lib/{}"),
    ],
)
def test_a_name_at_the_upstream_leads_to_the_mirror_of_it(
    client: Client, control: Control, pushed: Callable[..., str], path: str, repository: str
) -> None:
    name = secrets.token_hex(4)
    digest = pushed(f"{UPSTREAM}/{repository.format(name)}", elsewhere=True)
    mark = control.mark()
    answer = client.get(path.format(name), ACCEPT)
    assert (answer.status, answer.header("Docker-Content-Digest")) == (200, digest)
    assert {entry.path.partition("/manifests")[0] for entry in control.requests(mark).of("registry.manifests")} == {
        f"/v2/{repository.format(name)}"
    }


@pytest.mark.rule("R157")
@pytest.mark.parametrize(
    ("own", "path"),
    [
        ("team/{}", "/v2/team/{}/{}?ns=docker.io"),
        ("team/{}", "/v2/fedora/team/{}/{}?ns=quay.io"),
        ("team/{}", "/v2/team/{}/{}?ns=ghcr.io"),
        ("team/{}", "/v2/team/{}/{}?ns=registry.k8s.io"),
        ("images/{}", "/v2/base/{}/{}?ns=docker.io"),
    ],
)
@pytest.mark.parametrize(
    "part", ["manifests/1", "manifests/{digest}", "blobs/{digest}", "tags/list", "referrers/{digest}"]
)
def test_a_name_at_the_upstream_is_not_the_repository_of_a_team(
    client: Client, control: Control, pushed: Callable[..., str], own: str, path: str, part: str
) -> None:
    name = secrets.token_hex(4)
    digest = pushed(own.format(name))
    public = own.replace("images/", "base/").format(name)
    assert client.get(f"/v2/{public}/manifests/{digest}", ACCEPT).status == 200
    mark = control.mark()
    answer = client.get(path.format(name, part.format(digest=digest)), ACCEPT)
    assert (answer.status, answer.error_code()) == (404, "NAME_UNKNOWN")
    assert message(answer).startswith("the client asks for an image of another registry")
    assert control.requests(mark).count("registry") == 0


@pytest.mark.rule("R157")
@pytest.mark.parametrize(
    ("repository", "elsewhere", "public", "path"),
    [
        ("team/own", False, "library/own", "/v2/library/own/manifests/1?ns=docker.io"),
        ("hub/library/special", True, "hub/library/special", "/v2/library/special/manifests/1?ns=cgr.dev"),
        ("hub/library/special", True, "hub/library/special", "/hub/v2/library/special/manifests/1"),
        ("hub/library/special", True, "hub/library/special", "/hub/v2/library/special/manifests/1?n=1"),
        ("hub/library/special", True, "hub/library/special", f"/hub/v2/library/special/manifests/1?ns={DOMAIN}"),
        ("second/lib/special", True, "second/lib/special", "/second/v2/lib/special/manifests/1"),
    ],
)
def test_a_name_that_a_narrower_table_takes_from_a_mirror_is_not_the_upstreams(
    client: Client, pushed: Callable[..., str], repository: str, public: str, path: str, *, elsewhere: bool
) -> None:
    pushed(repository, elsewhere=elsewhere)
    assert client.get(f"/v2/{public}/manifests/1", ACCEPT).status == 200
    answer = client.get(path, ACCEPT)
    assert (answer.status, answer.error_code()) == (404, "NAME_UNKNOWN")


@pytest.mark.rule("R157")
def test_a_public_name_that_lacks_the_beginning_of_the_upstreams_is_not_the_upstreams(
    client: Client, pushed: Callable[..., str]
) -> None:
    name = f"fedora-{secrets.token_hex(4)}"
    pushed(f"{UPSTREAM}/quay/fedora/{name}", elsewhere=True)
    assert client.get(f"/v2/{name}/manifests/1", ACCEPT).status == 200
    answer = client.get(f"/v2/{name}/manifests/1?ns=quay.io", ACCEPT)
    assert (answer.status, answer.error_code()) == (404, "NAME_UNKNOWN")


@pytest.mark.rule("R157")
def test_a_name_on_no_allow_list_gets_another_message_than_one_of_another_registry(
    client: Client, world: World
) -> None:
    for named in ("docker.io", world.ecr_hosts[1], ecr_hosts(world.account, world.region)[0]):
        answer = client.get(f"/v2/evil/miner/manifests/1?ns={named}", ACCEPT)
        assert message(answer).startswith("repository evil/miner is not served here"), named
    answer = client.get("/v2/evil/miner/manifests/1?ns=gcr.io", ACCEPT)
    assert message(answer).startswith("the client asks for an image of another registry")


@pytest.mark.rule("R157")
def test_the_path_of_a_mirror_is_not_for_the_names_of_other_registries(
    client: Client, pushed: Callable[..., str]
) -> None:
    name = secrets.token_hex(4)
    pushed(f"{UPSTREAM}/cgr/{name}", elsewhere=True)
    for other in ("gcr.io", "docker.io", DOMAIN, "evil"):
        assert client.get(f"/hub/v2/{name}/manifests/1?ns={other}", ACCEPT).status == 404, other


@pytest.mark.rule("R157")
def test_a_host_of_ecr_stands_for_its_own_repositories_alone(
    client: Client, world: World, pushed: Callable[..., str]
) -> None:
    name = secrets.token_hex(4)
    first, second, images = pushed(f"team/{name}"), pushed(f"shared/{name}", elsewhere=True), pushed(f"images/{name}")
    own = [*ecr_hosts(world.account, world.region), *ecr_hosts(world.account, world.replica_region)]
    others = ecr_hosts(world.other_account, world.region)
    for public, digest, right, wrong in (
        (f"team/{name}", first, own, others),
        (f"shared/{name}", second, others, own),
        (f"base/{name}", images, [], [*own, *others]),
    ):
        for host in (*right, world.domain):
            assert client.get(f"/v2/{public}/manifests/{digest}?ns={host}", ACCEPT).status == 200, (public, host)
        for host in wrong:
            answer = client.get(f"/v2/{public}/manifests/{digest}?ns={host}", ACCEPT)
            assert (answer.status, answer.error_code()) == (404, "NAME_UNKNOWN"), (public, host)


@pytest.mark.rule("R157")
def test_a_warm_request_that_names_a_registry_asks_for_nothing(
    client: Client, control: Control, world: World, pushed: Callable[..., str]
) -> None:
    name = secrets.token_hex(4)
    digest = pushed(f"team/{name}")
    path = f"/v2/team/{name}/manifests/{digest}?ns={ecr_hosts(world.account, world.region)[0]}"
    assert client.get(path, ACCEPT).status == 200
    mark = control.mark()
    assert client.get(path, ACCEPT).status == 200
    assert control.requests(mark).entries == ()
