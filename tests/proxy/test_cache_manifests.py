"""Cached manifests: by digest without an end, by tag for `tag_seconds`."""

import itertools
import secrets
import time
from collections.abc import Callable

import pytest

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Image, Publisher
from testbed.sandbox.pod import Pod
from tests.proxy.cache_times import ERRORS_LAST_SECONDS, TAG_EXPIRED_SECONDS
from tests.proxy.client import ACCEPT, Client

FULL_ACCEPT = (
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json, "
    "application/vnd.docker.distribution.manifest.v1+prettyjws, */*"
)
"""What the proxy asks ECR for by itself: every type of a manifest."""
INDEX = {"Accept": "application/vnd.oci.image.index.v1+json"}

pytestmark = pytest.mark.usefixtures("proxy")


@pytest.fixture
def push(publisher: Publisher) -> Callable[[str, str], Image]:
    """Pushes an image with a layer of its own."""
    return lambda repository, tag: publisher.image(repository, tag, [secrets.token_bytes(10)])


@pytest.fixture
def image(push: Callable[[str, str], Image]) -> Image:
    """Tagged `now`."""
    return push("team/app", "now")


@pytest.mark.rule("R22")
def test_a_manifest_by_digest_is_fetched_once(client: Client, control: Control, image: Image) -> None:
    mark = control.mark()
    path = f"/v2/team/app/manifests/{image.digest}"
    for query in ("", "?ns=registry.frontdoor.test"):
        answer = client.get(path + query, ACCEPT)
        assert (answer.status, answer.body) == (200, image.manifest)
        assert answer.header("Docker-Content-Digest") == image.digest
        assert answer.header("Content-Type") == ACCEPT["Accept"]
    time.sleep(TAG_EXPIRED_SECONDS)
    assert client.get(path, ACCEPT).body == image.manifest
    assert control.requests(mark).count("registry") == 1


@pytest.mark.rule("R16")
def test_a_manifest_by_digest_is_cached_for_every_allowed_repository(
    client: Client, control: Control, image: Image
) -> None:
    client.get(f"/v2/team/app/manifests/{image.digest}", ACCEPT)
    mark = control.mark()
    assert client.get(f"/v2/base/manifests/{image.digest}", ACCEPT).body == image.manifest
    for path in ("secret/app", "team/../secret/app", "secret%2fapp", "/secret//app"):
        assert client.get(f"/v2/{path}/manifests/{image.digest}", ACCEPT).status == 404
    # Afterwards ECR is asked whether this repository has it (R61).
    assert {entry.path for entry in control.requests(mark).entries} <= {f"/v2/base/manifests/{image.digest}"}


@pytest.mark.rule("R22")
def test_a_manifest_missing_in_one_repository_may_exist_in_another(client: Client, image: Image) -> None:
    assert client.get(f"/v2/team/nothing/manifests/{image.digest}", ACCEPT).status == 404
    assert client.get(f"/v2/team/app/manifests/{image.digest}", ACCEPT).status == 200


@pytest.mark.rule("R22")
def test_a_missing_manifest_is_cached_for_unknown_seconds(
    client: Client, control: Control, push: Callable[[str, str], Image]
) -> None:
    image = push("team/more", secrets.token_hex(4))
    path = f"/v2/team/app/manifests/{image.digest}"
    mark = control.mark()
    assert [client.get(path, ACCEPT).status for _ in range(3)] == [404] * 3
    assert control.requests(mark).count("registry") == 1
    time.sleep(TAG_EXPIRED_SECONDS)
    assert client.get(path, ACCEPT).status == 404
    assert control.requests(mark).count("registry") == 2, "ECR is asked again"
    assert client.get(f"/v2/team/more/manifests/{image.digest}", ACCEPT).status == 200


@pytest.mark.rule("R22")
@pytest.mark.usefixtures("image")
def test_ecr_decides_about_a_tag_whose_media_type_the_client_does_not_accept(client: Client, control: Control) -> None:
    """The answer to such a client is no answer for another, whatever the order of its types."""
    index, docker = INDEX["Accept"], "application/vnd.docker.distribution.manifest.v2+json"
    mark = control.mark()
    for accept, status in (
        (f"{docker}, {index}", 404),
        (ACCEPT["Accept"], 200),
        (f"{index}, {docker}", 404),
        (docker, 404),
        (ACCEPT["Accept"], 200),
    ):
        assert client.get("/v2/team/app/manifests/now", {"Accept": accept}).status == status
    requests = [entry for entry in control.requests(mark).entries if entry.method == "GET"]
    assert [entry.headers["accept"].rstrip(", ") for entry in requests] == [f"{index}, {docker}", FULL_ACCEPT, docker]


@pytest.mark.rule("R22", "R32")
@pytest.mark.usefixtures("image")
def test_what_ecr_denies_is_403_also_for_a_tag_that_it_would_convert(client: Client, control: Control) -> None:
    path, docker = "/v2/team/app/manifests/now", "application/vnd.docker.distribution.manifest.v2+json"
    assert client.get(path, ACCEPT).status == 200
    with control.behaving(Behaviour(denied_actions=frozenset({"ecr:BatchGetImage"}))):
        for _ in range(2):
            answer = client.get(path, {"Accept": docker})
            assert (answer.status, answer.error_code()) == (403, "DENIED")


@pytest.mark.rule("R22")
def test_a_manifest_by_digest_is_served_whatever_the_client_accepts(client: Client, image: Image) -> None:
    """ECR converts a manifest by tag only: one with another digest would be another manifest."""
    for headers in (INDEX, ACCEPT, {}):
        answer = client.get(f"/v2/team/app/manifests/{image.digest}", headers)
        assert (answer.status, answer.body) == (200, image.manifest)
        assert answer.header("Content-Type") == ACCEPT["Accept"]


@pytest.mark.rule("R22")
@pytest.mark.parametrize(("by", "expected"), [("tag", ["HEAD", "GET"]), ("digest", ["GET"])])
def test_head_get_and_every_order_of_accept_share_one_entry(
    client: Client, control: Control, image: Image, by: str, expected: list[str]
) -> None:
    """docker sends its types in random order."""
    path = f"/v2/team/app/manifests/{image.digest if by == 'digest' else 'now'}"
    types = [*FULL_ACCEPT.split(", ")[:4], "application/json"]
    orders = [", ".join(order) for order in itertools.islice(itertools.permutations(types), 0, None, 20)]
    mark = control.mark()
    for accept in (*orders, "*/*", "application/vnd.oci.image.manifest.v1+json;q=0.5", f"text/html,{ACCEPT['Accept']}"):
        head, get = client.head(path, {"Accept": accept}), client.get(path, {"Accept": accept})
        assert (head.status, head.body, get.body) == (200, b"", image.manifest)
        assert head.header("Content-Length") == get.header("Content-Length")
        assert head.header("Docker-Content-Digest") == get.header("Docker-Content-Digest") == image.digest
    assert [entry.method for entry in control.requests(mark).entries] == expected


@pytest.mark.rule("R22")
@pytest.mark.parametrize("warmed_by", ["tag", "digest and tag"])
def test_what_one_client_pulled_by_tag_is_there_for_all_when_ecr_is_away(
    client: Client, control: Control, image: Image, warmed_by: str
) -> None:
    paths = [f"/v2/team/app/manifests/{reference}" for reference in ("now", image.digest)]
    if warmed_by == "tag":
        client.get(paths[0], {"Accept": FULL_ACCEPT})
    else:
        # As containerd does.
        client.head(paths[0], {"Accept": f"{ACCEPT['Accept']}, */*"})
        client.get(paths[1], {"Accept": f"{ACCEPT['Accept']}, */*"})
    time.sleep(TAG_EXPIRED_SECONDS)
    with control.behaving(Behaviour(registry_outage="refused")):
        for path, headers in itertools.product(paths, (ACCEPT, {}, {"Accept": "*/*"})):
            assert client.head(path, headers).header("Docker-Content-Digest") == image.digest
            assert client.get(path, headers).body == image.manifest
    time.sleep(ERRORS_LAST_SECONDS)


@pytest.mark.rule("R22")
def test_made_up_media_types_are_not_cached(client: Client, control: Control, image: Image, proxy: Pod) -> None:
    """They would let one client fill the cache."""
    client.get("/v2/team/app/manifests/now", ACCEPT)
    before = proxy.cached_files()
    mark = control.mark()
    for number in range(5):
        assert client.get("/v2/team/app/manifests/now", {"Accept": f"application/x-{number}"}).status == 404
    assert control.requests(mark).count("registry") == 5
    # The image has one state, whatever its client accepts.
    assert not [file for file in proxy.cached_files() - before if not file.startswith("images/")]
    assert client.get("/v2/team/app/manifests/now", ACCEPT).body == image.manifest


@pytest.mark.rule("R20")
@pytest.mark.parametrize("by", ["tag", "digest"])
def test_a_matching_if_none_match_for_a_manifest_is_304(client: Client, image: Image, by: str) -> None:
    path = f"/v2/team/app/manifests/{image.digest if by == 'digest' else 'now'}"
    for _ in range(2):
        answer = client.get(path, ACCEPT | {"If-None-Match": f'"{image.digest}"'})
        assert (answer.status, answer.body) == (304, b"")


@pytest.mark.rule("R23")
def test_a_tag_is_served_from_the_cache_until_its_ttl_ends_and_then_from_ecr(
    client: Client, control: Control, image: Image, push: Callable[[str, str], Image]
) -> None:
    mark = control.mark()
    for query in ("", "?ns=registry.frontdoor.test"):
        assert client.get(f"/v2/team/app/manifests/now{query}", ACCEPT).body == image.manifest
    assert [entry.method for entry in control.requests(mark).entries] == ["HEAD", "GET"]
    moved = push("team/app", "now")
    time.sleep(TAG_EXPIRED_SECONDS)
    answer = client.get("/v2/team/app/manifests/now", ACCEPT)
    assert (answer.body, answer.header("Warning")) == (moved.manifest, None)


@pytest.mark.rule("R23")
def test_a_tag_belongs_to_its_repository(client: Client, image: Image, push: Callable[[str, str], Image]) -> None:
    other = push("team/more", "now")
    assert client.get("/v2/team/app/manifests/now", ACCEPT).body == image.manifest
    assert client.get("/v2/team/more/manifests/now", ACCEPT).body == other.manifest


@pytest.mark.rule("R23")
def test_a_pushed_tag_is_visible_seconds_later(
    client: Client, control: Control, push: Callable[[str, str], Image]
) -> None:
    tag = secrets.token_hex(4)
    mark = control.mark()
    for _ in range(3):
        answer = client.get(f"/v2/team/app/manifests/{tag}", ACCEPT)
        assert (answer.status, b"MANIFEST_UNKNOWN" in answer.body) == (404, True)
    assert [entry.method for entry in control.requests(mark).entries] == ["HEAD", "GET"], "the GET has ECR's message"
    image = push("team/app", tag)
    time.sleep(TAG_EXPIRED_SECONDS)
    assert client.get(f"/v2/team/app/manifests/{tag}", ACCEPT).body == image.manifest


@pytest.mark.rule("R24")
@pytest.mark.parametrize(
    ("method", "fault"),
    [
        ("GET", Behaviour(registry_status=429)),
        ("GET", Behaviour(registry_status=500)),
        ("HEAD", Behaviour(registry_status=503)),
        ("GET", Behaviour(registry_outage="refused")),
        ("HEAD", Behaviour(registry_outage="reset")),
        ("GET", Behaviour(denied_actions=frozenset({"ecr:BatchGetImage"}))),
    ],
    ids=["429", "500", "503", "refused", "reset", "denied"],
)
def test_a_stale_tag_is_served_with_a_warning_when_ecr_fails(
    client: Client, control: Control, image: Image, push: Callable[[str, str], Image], fault: Behaviour, method: str
) -> None:
    path = "/v2/team/app/manifests/now"
    assert client.ask(method, path, ACCEPT).header("Warning") is None
    moved = push("team/app", "now")
    time.sleep(TAG_EXPIRED_SECONDS)
    with control.behaving(fault):
        for _ in range(2):
            answer = client.ask(method, path, ACCEPT)
            assert (answer.status, answer.header("Docker-Content-Digest")) == (200, image.digest)
            assert (answer.header("Warning") or "").startswith("299 - ")
    time.sleep(ERRORS_LAST_SECONDS)
    answer = client.ask(method, path, ACCEPT)
    assert (answer.header("Docker-Content-Digest"), answer.header("Warning")) == (moved.digest, None)
