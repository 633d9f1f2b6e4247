"""Repositories whose public names differ from ECR's."""

import json
import secrets
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial

import pytest

from lambda_fn.contract.hints import GONE, Hints, build
from lambda_fn.contract.hints import Image as Named
from lambda_fn.settings import Settings
from lambda_fn.settings.registry import Registry
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control, Requests
from testbed.sandbox.cloud.publish import Image, Publisher, digest_of
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from testbed.waiting import wait_until
from tests.proxy.client import ACCEPT, Client
from tests.proxy.revalidated import DAY_SECONDS, with_short_days

PREFIX = "platform/images/"
SPECIAL = "py/thon"
ABSENT = digest_of(b"")

pytestmark = pytest.mark.usefixtures("proxy")


@pytest.fixture(scope="module")
def settings(settings: Settings, world: World) -> Settings:
    first = partial(Registry, account=world.account, region=world.region)
    other = partial(Registry, account=world.other_account, region=world.region)
    registries = (
        first(repositories=("base/*", "old/*-app"), renames={"tools/python": SPECIAL}),
        first(repositories=("new/images/*",), strip="new/images/", prefix=PREFIX),
        first(repositories=("again/*", "again/x/*"), strip="again/", prefix=PREFIX),
        other(repositories=("short/*", "default", "new/images/special/*"), renames={"volatile": "vo/latile"}),
        other(repositories=("bare/*",), strip="bare/"),
    )
    return with_short_days(settings.model_copy(update={"registries": registries}), deleted_seconds=5)


@pytest.fixture
def client(client: Client) -> Iterator[Client]:
    """At the end, its answers must not contain a name of ECR."""
    yield client
    received = "\n".join(answer.text() for answer in client.seen)
    assert PREFIX not in received
    assert SPECIAL not in received


@pytest.fixture
def name(publisher: Publisher) -> str:
    """A repository of one test alone, without its prefix in ECR."""
    made = secrets.token_hex(4)
    publisher.image(PREFIX + made, "1.0", [secrets.token_bytes(10)])
    return made


def paths(requests: Requests) -> set[str]:
    return {entry.path for entry in requests.of("registry")}


@pytest.mark.rule("R130")
@pytest.mark.parametrize("begin", ["new/images/", "again/"])
def test_a_whole_image_is_pulled_by_its_public_name(
    client: Client, control: Control, publisher: Publisher, begin: str
) -> None:
    ecr_name = PREFIX + secrets.token_hex(4)
    image = publisher.image(ecr_name, "1.0", [secrets.token_bytes(3_000_000)])
    public = begin + ecr_name.removeprefix(PREFIX)
    mark = control.mark()
    assert client.get(f"/v2/{public}/manifests/1.0", ACCEPT).body == image.manifest
    assert client.head(f"/v2/{public}/manifests/{image.digest}", ACCEPT).status == 200
    for blob in (image.config, *image.layers):
        assert digest_of(client.get(f"/v2/{public}/blobs/{blob}").body) == blob
        assert client.head(f"/v2/{public}/blobs/{blob}").status == 200
        assert client.get(f"/v2/{public}/blobs/{blob}", {"Range": "bytes=1-5"}).status == 206
    assert {path.rsplit("/", 2)[0] for path in paths(control.requests(mark))} == {f"/v2/{ecr_name}"}


@pytest.mark.rule("R130")
def test_a_renamed_repository_is_found_by_its_public_name_alone(
    client: Client, control: Control, publisher: Publisher
) -> None:
    image = publisher.image(SPECIAL, "3", [secrets.token_bytes(10)])
    assert client.get("/v2/tools/python/manifests/3", ACCEPT).body == image.manifest
    assert client.get(f"/v2/tools/python/blobs/{image.layers[0]}").status == 200
    mark = control.mark()
    for unknown in ("py/thon", "tools/python2", "tools", "tools/python/more", f"{PREFIX}app", "new/images", "again"):
        assert client.get(f"/v2/{unknown}/manifests/3").status == 404
    client.seen.clear()  # these answers repeat the name that was asked for
    assert control.requests(mark).entries == ()


@pytest.mark.rule("R4", "R130")
@pytest.mark.parametrize(
    ("public", "host", "ecr_name"),
    [
        ("base/app", 0, "base/app"),
        ("old/x-app", 0, "old/x-app"),
        ("short/x", 1, "short/x"),
        ("default", 1, "default"),
        ("volatile", 1, "vo/latile"),
        ("new/images/a/b", 0, f"{PREFIX}a/b"),
        ("new/images/special/b", 1, "new/images/special/b"),
        ("again/x/y", 0, f"{PREFIX}x/y"),
        ("bare/xy", 1, "xy"),
        (f"new/images/{'x' * 240}", 0, f"{PREFIX}{'x' * 240}"),
    ],
)
def test_ecr_gets_its_own_name_at_the_registry_of_the_narrowest_route(
    client: Client, control: Control, world: World, public: str, host: int, ecr_name: str
) -> None:
    mark = control.mark()
    assert client.get(f"/v2/{public}/manifests/1.4").status == 404
    found = {(entry.host, entry.path) for entry in control.requests(mark).entries}
    assert found == {(world.ecr_hosts[host], f"/v2/{ecr_name}/manifests/1.4")}


@pytest.mark.rule("R130")
@pytest.mark.parametrize("public", ["bare/x", f"again/{'x' * 241}", f"again/{'x' * 250}"])
@pytest.mark.parametrize("path", ["manifests/1.4", f"blobs/{ABSENT}", "tags/list", f"referrers/{ABSENT}"])
def test_a_name_that_ecr_cannot_have_is_unknown(client: Client, control: Control, public: str, path: str) -> None:
    mark = control.mark()
    answer = client.get(f"/v2/{public}/{path}")
    assert (answer.status, answer.error_code()) == (404, "NAME_UNKNOWN")
    assert control.requests(mark).entries == ()


@pytest.mark.rule("R4")
@pytest.mark.parametrize("public", ["old/x-app2", "old/x-ap", "old/x-app/y", "older/x-app", "default2", "defau"])
def test_a_name_beside_an_expression_or_a_whole_name_is_unknown(client: Client, control: Control, public: str) -> None:
    mark = control.mark()
    assert client.get(f"/v2/{public}/manifests/1.4").error_code() == "NAME_UNKNOWN"
    assert control.requests(mark).entries == ()


@pytest.mark.rule("R130")
def test_a_list_of_tags_and_its_links_have_the_public_name(client: Client, publisher: Publisher, name: str) -> None:
    """A tag may be called as the repository."""
    image = publisher.image(f"{PREFIX}{name}", name, [b"layer"])
    publisher.manifest(f"{PREFIX}{name}", "last", image.manifest)
    found: list[str] = []
    path: str | None = f"/v2/again/{name}/tags/list?n=1"
    while path:
        answer = client.get(path)
        listed = json.loads(answer.body)
        assert listed["name"] == f"again/{name}"
        found += listed["tags"]
        link = answer.header("Link")
        path = link[1 : link.index(">")] if link else None
        assert path is None or path.startswith(f"/v2/again/{name}/tags/list?n=1&last=")
    assert sorted(found) == sorted(["1.0", "last", name])
    assert client.get(f"/v2/again/{name}/tags/list?n=0").json() == {"name": f"again/{name}", "tags": []}


@pytest.mark.rule("R130")
def test_a_tag_with_ecrs_name_stays_in_the_list(client: Client, publisher: Publisher, world: World) -> None:
    del world
    publisher.image(SPECIAL, "thon", [b"layer"])
    listed = json.loads(client.get("/v2/tools/python/tags/list").body)
    assert listed["name"] == "tools/python"
    assert "thon" in listed["tags"]


@pytest.mark.rule("R130")
def test_the_links_of_referrers_have_the_public_name(client: Client, publisher: Publisher, name: str) -> None:
    image = publisher.image(f"{PREFIX}{name}", "signed", [b"layer"])
    wanted = {publisher.referrer(f"{PREFIX}{name}", image, "application/x", number) for number in range(25)}
    found: set[str] = set()
    path: str | None = f"/v2/again/{name}/referrers/{image.digest}"
    while path:
        answer = client.get(path)
        found |= {entry["digest"] for entry in json.loads(answer.body)["manifests"]}
        link = answer.header("Link")
        path = link[1 : link.index(">")] if link else None
        assert path is None or path.startswith(f"/v2/again/{name}/referrers/{image.digest}?")
    assert found == wanted


@pytest.mark.rule("R130")
@pytest.mark.parametrize("path", ["manifests/1.4", f"manifests/{ABSENT}", f"blobs/{ABSENT}", "tags/list"])
def test_ecrs_message_has_the_public_name_also_from_the_cache(client: Client, control: Control, path: str) -> None:
    unknown, mark = secrets.token_hex(4), control.mark()
    for public in (f"again/{unknown}", f"new/images/{unknown}", f"again/{unknown}"):
        answer = client.get(f"/v2/{public}/{path}")
        (error,) = json.loads(answer.body)["errors"]
        assert (answer.status, error["code"]) == (404, "NAME_UNKNOWN")
        assert f"The repository with name '{public}' does not exist" in error["message"]
    requests = control.requests(mark).of("registry")
    assert len({(entry.method, entry.path) for entry in requests}) == len(requests) or path == "tags/list"


@pytest.mark.rule("R130")
def test_content_with_ecrs_name_is_not_changed_whatever_its_type(
    client: Client, control: Control, publisher: Publisher, name: str
) -> None:
    ecr_name = PREFIX + name
    blob = publisher.blob(ecr_name, json.dumps({"name": ecr_name, "of": f"'{ecr_name}'"}).encode())
    with control.behaving(Behaviour(layer_content_type="application/json")):
        for _ in range(2):
            answer = client.get(f"/v2/again/{name}/blobs/{blob}")
            client.seen.clear()  # this content has ECR's name
            assert answer.header("Content-Type") == "application/json"
            assert digest_of(answer.body) == blob


@pytest.mark.rule("R130")
def test_two_names_of_a_repository_share_what_is_cached(client: Client, control: Control, name: str) -> None:
    assert client.get(f"/v2/again/{name}/manifests/1.0", ACCEPT).status == 200
    mark = control.mark()
    assert client.get(f"/v2/new/images/{name}/manifests/1.0", ACCEPT).status == 200
    assert control.requests(mark).entries == ()


@pytest.mark.rule("R130")
def test_the_access_log_has_the_public_name(client: Client, proxy: Pod, name: str) -> None:
    path = f"/v2/again/{name}/manifests/1.0"
    client.get(path, ACCEPT)
    assert {line["repository"] for line in proxy.access_log("front", path)} == {f"again/{name}"}


@pytest.mark.rule("R61", "R62")
def test_an_image_that_ecr_deletes_is_missing_under_each_name(
    client: Client, control: Control, world: World, publisher: Publisher
) -> None:
    ecr_name = PREFIX + secrets.token_hex(4)
    image = publisher.image(ecr_name, "1.0", [secrets.token_bytes(10)])
    names = [begin + ecr_name.removeprefix(PREFIX) for begin in ("again/", "new/images/")]
    for public in names:
        assert client.get(f"/v2/{public}/manifests/{image.digest}", ACCEPT).status == 200
    control.delete_image(world.ecr_host, ecr_name, image.digest)
    time.sleep(DAY_SECONDS)
    for public in names:
        path = f"/v2/{public}/manifests/{image.digest}"
        wait_until(lambda path=path: client.get(path, ACCEPT).status == 404, "ECR's answer counts", seconds=20)  # type: ignore[misc]


@pytest.fixture
def hint(serving: Pod, world: World) -> Callable[[str, Image], None]:
    def give(ecr_name: str, image: Image) -> None:
        named = {Named(world.ecr_host, ecr_name, image.digest): int(time.time())}
        serving.mount("hints", {GONE: build(Hints({}, named), now=datetime.now(UTC))[GONE].encode()})

    return give


@pytest.mark.rule("R64")
def test_a_hint_with_ecrs_name_refuses_the_image_under_each_name(
    client: Client, publisher: Publisher, hint: Callable[[str, Image], None]
) -> None:
    ecr_name = PREFIX + secrets.token_hex(4)
    image = publisher.image(ecr_name, "1.0", [secrets.token_bytes(10)])
    names = [begin + ecr_name.removeprefix(PREFIX) for begin in ("again/", "new/images/")]
    assert [client.get(f"/v2/{public}/manifests/1.0", ACCEPT).status for public in names] == [200, 200]
    hint(ecr_name, image)
    for public in names:
        path = f"/v2/{public}/manifests/1.0"
        wait_until(lambda path=path: client.get(path, ACCEPT).status == 404, "the image is refused", seconds=15)  # type: ignore[misc]
