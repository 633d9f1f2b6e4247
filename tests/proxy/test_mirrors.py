"""Repositories that ECR fills from a public registry, by the double's pull-through cache."""

import json
import secrets
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from lambda_fn.contract.registries import ecr_hosts
from lambda_fn.settings import Settings
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.imports import UPSTREAM
from testbed.sandbox.cloud.publish import Image, Publisher
from testbed.sandbox.cloud.tokens import Token
from testbed.sandbox.world import World
from testbed.waiting import wait_until
from tests.proxy.client import ACCEPT, Answer, Client
from tests.proxy.mirrors import (
    ECR_SECONDS,
    IMPORT_SECONDS,
    RULES,
    UNKNOWN_SECONDS,
    code_of_ecr,
    message,
    tags_asked,
    with_mirrors,
)

CLIENTS = 100
FAILURES_THAT_OPEN_A_CIRCUIT = 3


@pytest.fixture(scope="module")
def settings(world: World, resolver: str) -> Settings:
    return with_mirrors(world, resolver)


@pytest.fixture(autouse=True)
def healthy(control: Control) -> Control:
    """A double with cache rules."""
    control.set(RULES)
    return control


@pytest.fixture
def imports(control: Control) -> Callable[..., Behaviour]:
    return lambda **changed: control.behaviour().model_copy(update=changed)


@pytest.fixture(scope="module")
def upstream(trust: ssl.SSLContext, world: World, token: Token) -> Iterator[Publisher]:
    """Pushes to the upstreams."""
    with httpx2.Client(verify=trust, trust_env=False) as session:
        yield Publisher(session, world.ecr_hosts[1], token.authorization)


@pytest.fixture
def name() -> str:
    """A repository of Docker Hub that ECR does not have yet."""
    return f"library/{secrets.token_hex(4)}"


@pytest.fixture
def image(upstream: Publisher, name: str) -> Image:
    return upstream.image(f"{UPSTREAM}/docker-hub/{name}", "1", [secrets.token_bytes(3_000_000)])


def pulled(client: Client, name: str, image: Image, query: str = "") -> list[Answer]:
    """The answers to a pull by tag: HEAD, manifest by digest, blobs."""
    head = client.head(f"{name}/manifests/1{query}", ACCEPT)
    manifest = client.get(f"{name}/manifests/{image.digest}{query}", ACCEPT)
    return [head, manifest, *(client.get(f"{name}/blobs/{digest}{query}") for digest in (image.config, *image.layers))]


@pytest.mark.rule("R150")
@pytest.mark.usefixtures("proxy")
def test_the_first_pull_of_a_tag_imports_the_image(client: Client, control: Control, name: str, image: Image) -> None:
    assert client.get(f"/v2/docker-hub/{name}/tags/list").status == 404, "ECR has no such repository yet"
    mark = control.mark()
    answers = pulled(client, f"/v2/docker-hub/{name}", image)
    assert [answer.status for answer in answers] == [200] * 4
    assert answers[1].body == image.manifest
    of_tag = [one.method for one in control.requests(mark).of("registry") if one.path.endswith("/manifests/1")]
    assert of_tag == ["GET"], "a HEAD imports nothing"


@pytest.mark.rule("R150")
@pytest.mark.usefixtures("proxy")
def test_a_route_with_other_names_imports_too(client: Client, upstream: Publisher) -> None:
    repository = secrets.token_hex(4)
    image = upstream.image(f"{UPSTREAM}/quay/fedora/{repository}", "1", [b"layer"])
    assert {answer.status for answer in pulled(client, f"/v2/base/{repository}", image)} == {200}


@pytest.mark.rule("R151", "F150")
@pytest.mark.usefixtures("proxy")
def test_ecr_has_longer_for_an_import_than_for_other_requests(
    client: Client, control: Control, name: str, image: Image, imports: Callable[..., Behaviour]
) -> None:
    with control.behaving(imports(import_seconds=ECR_SECONDS + 1.5)):
        assert {answer.status for answer in pulled(client, f"/v2/docker-hub/{name}", image)} == {200}


@pytest.mark.rule("R151", "F150")
@pytest.mark.usefixtures("proxy")
def test_an_import_that_is_late_is_504_and_a_later_pull_finds_the_image(
    client: Client, control: Control, name: str, image: Image, imports: Callable[..., Behaviour]
) -> None:
    path = f"/v2/docker-hub/{name}/manifests/1"
    with control.behaving(imports(import_seconds=IMPORT_SECONDS + 2)):
        answer = client.get(path, ACCEPT)
        assert (answer.status, answer.error_code()) == (504, "UNAVAILABLE")
        assert message(answer).startswith("ECR is still importing this image from docker.io")
        time.sleep(3)
        assert client.get(path, ACCEPT).body == image.manifest


@pytest.mark.rule("R152", "F151")
@pytest.mark.usefixtures("proxy")
@pytest.mark.parametrize(
    ("fault", "status"), [({"import_status": 500}, 503), ({"import_status": 503}, 503), ({"import_status": 429}, 429)]
)
def test_an_upstream_that_fails_or_throttles_does_not_open_the_circuit(
    client: Client,
    control: Control,
    publisher: Publisher,
    imports: Callable[..., Behaviour],
    fault: object,
    status: int,
) -> None:
    own = publisher.image("team/app", secrets.token_hex(4), [secrets.token_bytes(100)])
    with control.behaving(imports(**fault)):  # type: ignore[arg-type]
        for _ in range(FAILURES_THAT_OPEN_A_CIRCUIT + 1):
            answer = client.get(f"/v2/docker-hub/library/{secrets.token_hex(4)}/manifests/1", ACCEPT)
            assert answer.status == status
        assert client.get(f"/v2/team/app/manifests/{own.digest}", ACCEPT).status == 200


@pytest.mark.rule("R152", "F150")
@pytest.mark.usefixtures("proxy")
def test_late_imports_do_not_open_the_circuit(
    client: Client, control: Control, publisher: Publisher, upstream: Publisher, imports: Callable[..., Behaviour]
) -> None:
    own = publisher.image("team/app", secrets.token_hex(4), [secrets.token_bytes(100)])
    names = [f"library/{secrets.token_hex(4)}" for _ in range(FAILURES_THAT_OPEN_A_CIRCUIT + 1)]
    for name in names:
        upstream.image(f"{UPSTREAM}/docker-hub/{name}", "1", [b"layer"])
    with control.behaving(imports(import_seconds=IMPORT_SECONDS + 2)), ThreadPoolExecutor(len(names)) as pool:
        answers = list(pool.map(lambda name: client.get(f"/v2/docker-hub/{name}/manifests/1", ACCEPT), names))
        assert {answer.status for answer in answers} == {504}
        assert client.get(f"/v2/team/app/manifests/{own.digest}", ACCEPT).status == 200


@pytest.mark.rule("R152")
@pytest.mark.usefixtures("proxy")
def test_an_ecr_that_cannot_be_reached_opens_the_circuit_by_imports_too(client: Client, control: Control) -> None:
    with control.behaving(Behaviour(registry_outage="refused")):
        for _ in range(FAILURES_THAT_OPEN_A_CIRCUIT):
            path = f"/v2/docker-hub/library/{secrets.token_hex(4)}/manifests/1"
            assert client.get(path, ACCEPT).status == 503
    mark = control.mark()
    path = f"/v2/docker-hub/library/{secrets.token_hex(4)}/manifests/1"
    assert client.get(path, ACCEPT).status == 503
    assert control.requests(mark).count("registry") == 0
    wait_until(lambda: client.get(path, ACCEPT).status == 404, "the circuit closes")


@pytest.mark.rule("R153")
@pytest.mark.usefixtures("proxy")
def test_a_hundred_first_pulls_at_once_are_one_request(
    client: Client, control: Control, name: str, image: Image, imports: Callable[..., Behaviour]
) -> None:
    mark = control.mark()
    paths = [f"/v2/docker-hub/{name}/manifests/1"] * CLIENTS
    with control.behaving(imports(import_seconds=IMPORT_SECONDS - 1)), ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(lambda path: client.get(path, ACCEPT), paths))
    assert {(answer.status, answer.body) for answer in answers} == {(200, image.manifest)}
    assert tags_asked(control, mark) == 1


@pytest.mark.rule("R154")
@pytest.mark.usefixtures("proxy")
def test_blobs_come_from_the_cdn_of_the_upstream_while_ecr_imports_them(
    client: Client, control: Control, name: str, image: Image, imports: Callable[..., Behaviour]
) -> None:
    mark = control.mark()
    with control.behaving(imports(imports_redirect=True)):
        answers = pulled(client, f"/v2/docker-hub/{name}", image)
    assert {answer.status for answer in answers} == {200}
    assert control.requests(mark).count("cdn.layer") > 1, "slice by slice"
    assert control.requests(mark).count("s3.layer") == 0
    assert {answer.header("Location") for answer in answers} == {None}


@pytest.mark.rule("R154")
@pytest.mark.usefixtures("proxy")
def test_only_the_hosts_of_a_mirrors_upstream_are_followed(
    client: Client, control: Control, name: str, image: Image, imports: Callable[..., Behaviour]
) -> None:
    client.head(f"/v2/docker-hub/{name}/manifests/1", ACCEPT)
    mark = control.mark()
    for host in ("evil.example", "cdn01.quay.io", "production.cloudflare.docker.com.evil.example"):
        with control.behaving(imports(location_host=host)):
            answer = client.get(f"/v2/docker-hub/{name}/blobs/{image.layers[0]}")
            assert (answer.status, answer.error_code()) == (502, "UNAVAILABLE")
    assert control.requests(mark).count("cdn") == 0


@pytest.mark.rule("R13", "R154")
@pytest.mark.usefixtures("proxy")
def test_other_routes_follow_no_redirect_to_a_cdn(
    client: Client, control: Control, world: World, publisher: Publisher, imports: Callable[..., Behaviour]
) -> None:
    digest = publisher.blob("team/app", secrets.token_bytes(100))
    mark = control.mark()
    with control.behaving(imports(location_host=world.cdn_host)):
        assert client.get(f"/v2/team/app/blobs/{digest}").status == 502
    assert control.requests(mark).count("cdn") == 0


@pytest.mark.rule("R155")
@pytest.mark.usefixtures("proxy")
def test_an_image_that_the_upstream_lacks_is_404(client: Client, name: str) -> None:
    answer = client.get(f"/v2/docker-hub/{name}/manifests/1", ACCEPT)
    assert (answer.status, code_of_ecr(answer)) == (404, "MANIFEST_UNKNOWN")
    assert client.head(f"/v2/docker-hub/{name}/manifests/1", ACCEPT).status == 404


@pytest.mark.rule("R155")
@pytest.mark.usefixtures("proxy", "image")
def test_without_the_permission_to_import_ecrs_404_is_passed_on(
    client: Client, control: Control, name: str, imports: Callable[..., Behaviour]
) -> None:
    with control.behaving(imports(denied_actions=frozenset({"ecr:CreateRepository"}))):
        answer = client.get(f"/v2/docker-hub/{name}/manifests/1", ACCEPT)
    assert (answer.status, code_of_ecr(answer)) == (404, "NAME_UNKNOWN")


@pytest.mark.rule("R155")
@pytest.mark.usefixtures("proxy")
def test_an_image_that_ecr_has_not_imported_is_pulled_by_tag_first(client: Client, name: str, image: Image) -> None:
    path = f"/v2/docker-hub/{name}/manifests/{image.digest}"
    answer = client.get(path, ACCEPT)
    assert (answer.status, answer.error_code()) == (404, "MANIFEST_UNKNOWN")
    assert "from docker.io by tag alone: pull a tag of the image here once" in message(answer)
    assert client.head(path, ACCEPT).status == 404
    time.sleep(UNKNOWN_SECONDS + 1)
    assert client.get(f"/v2/docker-hub/{name}/manifests/1", ACCEPT).status == 200
    assert client.get(path, ACCEPT).body == image.manifest


@pytest.mark.rule("R156", "F152")
@pytest.mark.usefixtures("proxy", "image")
def test_a_refused_import_names_its_cause_and_asks_for_no_login(
    client: Client, control: Control, name: str, imports: Callable[..., Behaviour]
) -> None:
    with control.behaving(imports(import_refused=True)):
        answer = client.get(f"/v2/docker-hub/{name}/manifests/1", ACCEPT)
        assert (answer.status, answer.error_code()) == (403, "DENIED")
        assert message(answer).startswith("ECR could not import this image from docker.io, which refused")
        assert message(answer).endswith("; contact: registry@example.net")
        assert answer.header("WWW-Authenticate") is None
        assert client.head(f"/v2/docker-hub/{name}/manifests/1", ACCEPT).status == 403


@pytest.mark.rule("R31", "R156")
@pytest.mark.usefixtures("proxy")
def test_a_refused_import_that_is_the_probe_closes_the_circuit(
    client: Client, control: Control, publisher: Publisher, upstream: Publisher, imports: Callable[..., Behaviour]
) -> None:
    own = publisher.image("team/app", secrets.token_hex(4), [secrets.token_bytes(100)])
    names = [f"library/{secrets.token_hex(4)}" for _ in range(20)]
    for name in names:
        upstream.image(f"{UPSTREAM}/docker-hub/{name}", "1", [b"layer"])
    with control.behaving(imports(registry_status=500)):
        for _ in range(FAILURES_THAT_OPEN_A_CIRCUIT):
            assert client.get(f"/v2/team/app/manifests/{secrets.token_hex(4)}", ACCEPT).status == 503
    with control.behaving(imports(import_refused=True)):
        wait_until(
            lambda: client.get(f"/v2/docker-hub/{names.pop()}/manifests/1", ACCEPT).status == 403,
            "an import is the probe",
            pause_seconds=0.2,
        )
        assert client.get(f"/v2/team/app/manifests/{own.digest}", ACCEPT).status == 200


@pytest.mark.rule("R157")
@pytest.mark.usefixtures("proxy")
@pytest.mark.parametrize(
    ("start", "query"),
    [
        ("/v2/", "?ns=docker.io"),
        ("/v2/docker-hub/", "?ns=docker.io"),
        ("/docker-hub/v2/", ""),
        ("/docker-hub/v2/", "?ns=docker.io"),
    ],
    ids=["containerd", "containerd with a path", "docker", "docker's containerd"],
)
def test_nodes_pull_by_the_name_at_the_upstream(
    client: Client, control: Control, name: str, image: Image, start: str, query: str
) -> None:
    mark = control.mark()
    assert {answer.status for answer in pulled(client, f"{start}{name}", image, query)} == {200}
    assert all(f"/v2/docker-hub/{name}/" in entry.path for entry in control.requests(mark).of("registry"))


@pytest.mark.rule("R157")
@pytest.mark.usefixtures("proxy")
def test_a_route_with_other_names_is_found_by_the_name_at_the_upstream(client: Client, upstream: Publisher) -> None:
    repository = secrets.token_hex(4)
    image = upstream.image(f"{UPSTREAM}/quay/fedora/{repository}", "1", [b"layer"])
    assert {answer.status for answer in pulled(client, f"/v2/fedora/{repository}", image, "?ns=quay.io")} == {200}
    other = client.get(f"/v2/centos/{repository}/manifests/1?ns=quay.io", ACCEPT)
    assert (other.status, other.error_code()) == (404, "NAME_UNKNOWN")


@pytest.mark.rule("R157")
@pytest.mark.usefixtures("proxy")
def test_clients_of_a_mirror_get_the_answer_to_a_check(client: Client) -> None:
    for path in ("/docker-hub/v2/", "/v2/?ns=docker.io"):
        assert (client.get(path).status, client.get(path).body) == (200, b"{}")


@pytest.mark.rule("R4", "R157")
@pytest.mark.usefixtures("proxy")
@pytest.mark.parametrize(
    "path",
    [
        "/v2/evil/miner/manifests/1?ns=docker.io",
        "/docker-hub/v2/evil/miner/manifests/1",
        "/v2/docker-hub/evil/miner/manifests/1",
        "/v2/library/nginx/manifests/1?ns=quay.io",
        "/v2/library/nginx/manifests/1?ns=gcr.io",
        "/v2/library/nginx/manifests/1?ns=evil",
        "/v2/library/nginx/manifests/1",
        "/v2/../team/app/manifests/1?ns=docker.io",
    ],
)
def test_the_allow_list_holds_for_clients_of_a_mirror(client: Client, control: Control, path: str) -> None:
    mark = control.mark()
    answer = client.get(path, ACCEPT)
    assert answer.status == 404
    assert answer.error_code() in {"NAME_UNKNOWN", "UNSUPPORTED"}
    assert control.requests(mark).count("registry") == 0


@pytest.mark.rule("R157")
@pytest.mark.usefixtures("proxy")
def test_the_name_of_another_registry_is_not_served_from_here(
    client: Client, control: Control, publisher: Publisher, name: str, image: Image
) -> None:
    own = publisher.image("team/app", "1", [secrets.token_bytes(100)])
    for path in (f"docker-hub/{name}/manifests/1", f"team/app/manifests/{own.digest}"):
        assert client.get(f"/v2/{path}", ACCEPT).status == 200
    mark = control.mark()
    for path in (
        *(f"docker-hub/{name}/manifests/1?ns={other}" for other in ("quay.io", "gcr.io", "registry-1.docker.io")),
        f"docker-hub/{name}/blobs/{image.layers[0]}?ns=gcr.io",
        "team/app/tags/list?n=1&ns=gcr.io",
        *(f"team/app/manifests/{own.digest}?ns={other}" for other in ("gcr.io", "docker.io", "quay.io", "evil")),
        f"team/app/manifests/{own.digest}?ns=999999999999.dkr.ecr.ap-southeast-2.amazonaws.com",
    ):
        answer = client.get(f"/v2/{path}", ACCEPT)
        assert (answer.status, answer.error_code()) == (404, "NAME_UNKNOWN"), path
    assert control.requests(mark).count("registry") == 0


@pytest.mark.rule("R157")
@pytest.mark.usefixtures("proxy")
def test_clients_that_mirror_the_registry_itself_name_the_domain_or_a_host_of_ecr(
    client: Client, world: World, publisher: Publisher
) -> None:
    own = publisher.image("team/app", "1", [secrets.token_bytes(100)])
    for name in (world.domain, *ecr_hosts(world.account, world.region)):
        assert client.get(f"/v2/team/app/manifests/{own.digest}?ns={name}", ACCEPT).status == 200, name


@pytest.mark.rule("R9", "R157")
@pytest.mark.usefixtures("proxy")
def test_lists_of_a_mirror_are_pages_under_the_public_name(
    client: Client, upstream: Publisher, name: str, image: Image
) -> None:
    for tag in ("2", "3"):
        upstream.manifest(f"{UPSTREAM}/docker-hub/{name}", tag, image.manifest)
        client.get(f"/v2/docker-hub/{name}/manifests/{tag}", ACCEPT)
    page = client.get(f"/v2/{name}/tags/list?ns=docker.io&n=1")
    assert json.loads(page.body) == {"name": f"docker-hub/{name}", "tags": ["2"]}
    link = (page.header("Link") or "").partition("<")[2].partition(">")[0]
    assert json.loads(client.get(link).body)["tags"] == ["3"]
