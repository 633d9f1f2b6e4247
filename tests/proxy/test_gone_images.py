"""Images that the hints name are refused, and their files go. A kubelet replaces the file as these tests do."""

import json
import secrets
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from lambda_fn.contract.hints import GONE, MOST_LINES, Hints, build
from lambda_fn.contract.hints import Image as Named
from lambda_fn.settings import Settings
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher, digest_of
from testbed.sandbox.pod import Pod
from testbed.sandbox.pod_metrics import value, with_metrics
from testbed.sandbox.world import World
from testbed.soak import cached_files
from testbed.waiting import wait_until
from tests.proxy.cache_times import ERRORS_LAST_SECONDS
from tests.proxy.client import ACCEPT, Answer
from tests.proxy.revalidated import Repository, pulls

MIB = 1 << 20
READ_WITHIN_SECONDS = 4
"""It is promised within a few seconds: a turn reads a hundred lines, and there are ten turns a second."""
READING = "the hints refuse "
"""In the log, when a reading has changed anything."""
OTHER_TYPE = {"Accept": "application/vnd.docker.distribution.manifest.v2+json"}
INDEX = "application/vnd.oci.image.index.v1+json"

pytestmark = pytest.mark.usefixtures("proxy")


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    return with_metrics(settings)


@pytest.fixture
def hint(serving: Pod, world: World) -> Iterator[Callable[..., None]]:
    """Replaces the hints by these images, as the watcher writes them, and returns when the pod has read them."""

    def give(repository: str, *digests: str) -> None:
        named = {Named(world.ecr_host, repository, digest): int(time.time()) for digest in digests}
        readings = serving.error_log().count(READING)
        serving.mount("hints", {GONE: build(Hints({}, named), now=datetime.now(UTC))[GONE].encode()})
        wait_until(
            lambda: serving.error_log().count(READING) > readings, "the hints are read", seconds=READ_WITHIN_SECONDS
        )
        assert value("frontdoor_gone_images") == len(named)

    give("team/none", digest_of(secrets.token_bytes(10)))
    yield give
    give("team/none", digest_of(secrets.token_bytes(10)))


def assert_refused(answer: Answer, *, head: bool = False) -> None:
    assert answer.status == 404
    assert answer.header("Docker-Content-Digest") is None
    assert "was deleted in ECR, or the operators of this registry have withdrawn it" in str(answer.header("Warning"))
    if not head:
        assert answer.error_code() == "MANIFEST_UNKNOWN"


@pytest.mark.rule("R64")
def test_an_image_is_refused_by_every_way_while_its_line_is_there(
    hint: Callable[..., None], repository: Repository, control: Control
) -> None:
    """ECR still has it, so neither its answer nor the cache brings it back."""
    image = repository.push("app")
    path, by_tag = repository.path(image), f"/v2/{repository.name}/manifests/app"
    get, head = repository.client.get, repository.client.head
    assert [get(path, ACCEPT).status, get(by_tag, ACCEPT).status, get(by_tag, OTHER_TYPE).status] == [200, 200, 404]
    hint(repository.name, image.digest)
    mark = control.mark()
    for headers in (ACCEPT, OTHER_TYPE, {}, ACCEPT | {"Range": "bytes=0-10"}, ACCEPT | {"If-None-Match": '"x"'}):
        for asked in (path, f"{path}?ns=registry.frontdoor.test", by_tag, f"{by_tag}?ns=registry.frontdoor.test"):
            assert_refused(get(asked, headers))
            assert_refused(head(asked, headers), head=True)
    assert pulls(control.requests(mark), path) == 0
    hint("team/none", digest_of(b"another"))
    wait_until(lambda: get(path, ACCEPT).body == image.manifest, "the image is back", seconds=10)
    assert get(by_tag, ACCEPT).body == image.manifest


@pytest.mark.rule("R64")
def test_an_image_that_ecr_deletes_is_refused_at_once_and_served_again_when_it_is_pushed_again(
    hint: Callable[..., None], repository: Repository, control: Control, world: World
) -> None:
    image = repository.push("deleted")
    by_tag = f"/v2/{repository.name}/manifests/deleted"
    assert repository.client.get(by_tag, ACCEPT).status == 200
    control.delete_image(world.ecr_host, repository.name, image.digest)
    assert repository.pull(image).status == 200
    hint(repository.name, image.digest)
    assert_refused(repository.pull(image))
    with control.behaving(Behaviour(registry_status=503)):
        assert repository.client.get(by_tag, ACCEPT).status in {404, 503}
    time.sleep(ERRORS_LAST_SECONDS)
    control.restore_image(world.ecr_host, repository.name, image.digest)
    hint("team/none", digest_of(b"another"))
    wait_until(lambda: repository.pull(image).body == image.manifest, "the image is back", seconds=10)


@pytest.mark.rule("R64")
def test_another_tag_and_another_repository_are_served(
    hint: Callable[..., None], repositories: Callable[[], Repository], publisher: Publisher
) -> None:
    one, other = repositories(), repositories()
    gone, newer = one.push("old"), one.push("new")
    for layer in (*gone.layers, gone.config):
        assert one.client.get(f"/v2/{one.name}/blobs/{layer}").status == 200
    publisher.blob(other.name, one.client.get(f"/v2/{one.name}/blobs/{gone.layers[0]}").body)
    publisher.blob(other.name, one.client.get(f"/v2/{one.name}/blobs/{gone.config}").body)
    publisher.manifest(other.name, "same", gone.manifest)
    assert [one.pull(gone).status, one.pull(newer).status] == [200] * 2
    hint(one.name, gone.digest)
    assert_refused(one.pull(gone))
    assert [one.pull(newer).body, other.pull(gone).body] == [newer.manifest, gone.manifest]
    assert other.head("same").status == 200


@pytest.mark.rule("R64")
def test_a_platform_of_an_index_is_refused_alone(
    hint: Callable[..., None], repository: Repository, publisher: Publisher
) -> None:
    amd64, arm64 = repository.push("amd64"), repository.push("arm64")
    index = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": [
                {
                    "mediaType": ACCEPT["Accept"],
                    "digest": image.digest,
                    "size": len(image.manifest),
                    "platform": {"os": "linux", "architecture": name},
                }
                for name, image in (("amd64", amd64), ("arm64", arm64))
            ],
        }
    ).encode()
    publisher.manifest(repository.name, "both", index, INDEX)
    by_tag = f"/v2/{repository.name}/manifests/both"
    assert repository.client.get(by_tag, {"Accept": INDEX}).body == index
    hint(repository.name, arm64.digest)
    assert_refused(repository.pull(arm64))
    assert [repository.client.get(by_tag, {"Accept": INDEX}).body, repository.pull(amd64).body] == [
        index,
        amd64.manifest,
    ]
    hint(repository.name, digest_of(index))
    assert_refused(repository.client.get(by_tag, {"Accept": INDEX}))
    wait_until(lambda: repository.pull(arm64).body == arm64.manifest, "the platform is back", seconds=10)


def keys(pod: Pod) -> list[str]:
    """The keys of all cached contents."""
    return [cached_files.key(file) for file in cached_files.cached(pod.folder / "cache")]


@pytest.mark.rule("R65")
def test_the_files_of_an_image_go_but_not_those_that_another_image_names(
    hint: Callable[..., None], repository: Repository, publisher: Publisher, serving: Pod
) -> None:
    shared, own, others = (secrets.token_bytes(3 * MIB + size) for size in (1, 2, 3))
    gone = publisher.image(repository.name, "gone", [shared, own])
    kept = publisher.image(repository.name, "kept", [shared, others])
    bystander = publisher.blob(repository.name, secrets.token_bytes(MIB))
    for image in (gone, kept):
        assert repository.pull(image).status == 200
    contents = [*gone.layers, gone.config, *kept.layers, kept.config, bystander]
    for digest in contents:
        path = f"/v2/{repository.name}/blobs/{digest}"
        assert repository.client.get(path).status == 200
    # A part, which is cached in small slices.
    part = {"Range": "bytes=600000-600009"}
    assert repository.client.get(f"/v2/{repository.name}/blobs/{gone.layers[1]}", part).status == 206
    wait_until(lambda: len(keys(serving)) >= 3 * 4 + 2 + 2 + 1 + 1, "nginx has stored the last slice")
    before = keys(serving)
    only_gone = (gone.digest, gone.layers[1], gone.config)
    assert [key for key in before if "262143" in key or "524288" in key], "a part is cached"
    removed_before = value("frontdoor_gone_files_total")
    hint(repository.name, gone.digest)
    expected = sorted(key for key in before if not key.startswith(only_gone))
    wait_until(lambda: sorted(keys(serving)) == expected, "the files of the image are gone", seconds=20)
    assert value("frontdoor_gone_files_total") - removed_before == len(before) - len(expected)
    for digest in contents:
        assert repository.client.get(f"/v2/{repository.name}/blobs/{digest}").status == 200


@pytest.mark.rule("R65")
def test_a_pull_that_runs_is_finished(
    hint: Callable[..., None], repository: Repository, publisher: Publisher, control: Control
) -> None:
    """ECR still has the layer: what was removed is fetched again."""
    layer = secrets.token_bytes(8 * MIB)
    image = publisher.image(repository.name, "pulled", [layer])
    assert repository.pull(image).status == 200
    with control.behaving(Behaviour(s3_bytes_per_second=MIB)):
        connection = repository.client.open("GET", f"/v2/{repository.name}/blobs/{image.layers[0]}")
        time.sleep(1)
        hint(repository.name, image.digest)
        answer = repository.client.read(connection)
    connection.close()
    assert (answer.status, answer.body) == (200, layer)


@pytest.mark.rule("R66")
@pytest.mark.usefixtures("hint")
def test_lines_of_another_form_are_ignored_and_reported(serving: Pod, repository: Repository, world: World) -> None:
    image, other = repository.push("gone"), repository.push("served")
    assert [repository.pull(each).status for each in (image, other)] == [200, 200]
    ignored = value("frontdoor_hints_ignored_lines_total")
    good = f"{int(time.time())} {world.ecr_host}/{repository.name}@{image.digest}"
    bad = ["", "x" * 10_000, "\0\xff", f"{good} ", good.replace(image.digest, other.digest.upper()), f"{good}\r"]
    text = "\n".join([*bad[:3], good, *bad[3:]])
    serving.mount("hints", {GONE: text.encode("latin-1")})
    wait_until(lambda: "hints are ignored" in serving.error_log(), "the hints are read", seconds=READ_WITHIN_SECONDS)
    assert_refused(repository.pull(image))
    assert repository.pull(other).status == 200
    assert value("frontdoor_hints_ignored_lines_total") - ignored == 5
    assert serving.error_log().count("5 lines of the hints are ignored, such as '") == 1
    time.sleep(READ_WITHIN_SECONDS)
    assert value("frontdoor_hints_ignored_lines_total") - ignored == 5


@pytest.mark.rule("R66")
def test_a_file_that_is_too_large_changes_nothing(
    hint: Callable[..., None], serving: Pod, repository: Repository
) -> None:
    image = repository.push("gone")
    hint(repository.name, image.digest)
    serving.mount("hints", {GONE: b"x\n" * (MIB // 2 + 1)})
    wait_until(lambda: "the hints cannot be read" in serving.error_log(), "it is reported", seconds=READ_WITHIN_SECONDS)
    assert value("frontdoor_hints_readable") == 0
    assert_refused(repository.pull(image))
    serving.mount("hints", {GONE: b""})
    wait_until(lambda: value("frontdoor_hints_readable") == 1, "it is read again", seconds=READ_WITHIN_SECONDS)


@pytest.mark.rule("R66")
def test_as_many_images_as_the_watcher_writes_are_refused_and_no_request_waits(
    hint: Callable[..., None], repository: Repository, serving: Pod
) -> None:
    image = repository.push("gone")
    assert repository.pull(image).status == 200
    name = f"team/{'r' * 60}"
    many = [digest_of(str(number).encode()) for number in range(MOST_LINES)]
    text = "".join(
        f"{int(time.time())} 123456789012.dkr.ecr.eu-west-1.amazonaws.com/{name}@{digest}\n" for digest in many
    )
    serving.mount("hints", {GONE: text.encode()})
    slowest = 0.0
    until = time.monotonic() + 10
    while time.monotonic() < until:
        started = time.monotonic()
        assert repository.pull(image).status == 200
        slowest = max(slowest, time.monotonic() - started)
        time.sleep(0.01)
    assert value("frontdoor_gone_images") == MOST_LINES
    # One reading, and each turn of the removal, hold up a worker for milliseconds.
    assert slowest < 0.5
    hint(repository.name, image.digest)
    assert_refused(repository.pull(image))
