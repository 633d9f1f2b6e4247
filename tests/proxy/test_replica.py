"""While the registry of a repository fails, its replica in another region answers, in the same request."""

import json
import secrets
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from lambda_fn.settings import Settings
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Image, Publisher
from testbed.sandbox.cloud.tokens import Token
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from testbed.waiting import wait_until
from tests.proxy.client import ACCEPT, Client
from tests.proxy.replicated import BLOBS, MANIFESTS, REPOSITORY, Regions, replica_of

ECR_SECONDS = 2

pytestmark = pytest.mark.usefixtures("started")


@pytest.fixture(scope="module")
def timeouts() -> str:
    return f"ecr_seconds = {ECR_SECONDS}\npause_seconds = 1"


@pytest.fixture(scope="module")
def replicas(world: World) -> str:
    return replica_of(world)


@pytest.fixture(scope="module")
def other_account(trust: ssl.SSLContext, world: World, token: Token) -> Iterator[Publisher]:
    with httpx2.Client(verify=trust, trust_env=False) as session:
        yield Publisher(session, world.ecr_hosts[1], token.authorization)


FAULTS = {
    "500": {"registry_status": 500},
    "503": {"registry_status": 503},
    "throttled": {"registry_status": 429},
    "silent": {"registry_delay_seconds": 20},
    "refused": {"registry_outage": "refused"},
    "reset": {"registry_outage": "reset"},
}

LIST = f"/v2/{REPOSITORY}/tags/list?n=1"
LISTS = {"registry_actions": ["ecr:ListImages"]}


@pytest.mark.rule("R140", "F140")
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_everything_comes_from_the_replica_while_ecr_fails(
    client: Client, regions: Regions, fault: dict[str, object]
) -> None:
    image = regions.push("1.4")
    with regions.failing(**fault):
        began = time.monotonic()
        assert client.get(f"{MANIFESTS}/1.4", ACCEPT).body == image.manifest
        assert time.monotonic() - began < ECR_SECONDS + 1.5
        assert client.head(f"{MANIFESTS}/1.4", ACCEPT).header("Docker-Content-Digest") == image.digest
        assert client.get(f"{MANIFESTS}/{image.digest}", ACCEPT).body == image.manifest
        assert client.head(f"{BLOBS}/{image.config}").status == 200
        assert [client.get(f"{BLOBS}/{digest}").status for digest in (image.config, *image.layers)] == [200, 200]
        assert "1.4" in json.loads(client.get(f"/v2/{REPOSITORY}/tags/list").body)["tags"]
        assert client.get(f"/v2/{REPOSITORY}/referrers/{image.digest}").status == 200
        assert time.monotonic() - began < 2 * ECR_SECONDS + 2


@pytest.mark.rule("R141")
def test_the_first_failure_shuts_ecr_and_no_client_waits_for_a_probe(
    client: Client, control: Control, regions: Regions
) -> None:
    images = [regions.push(size_bytes=10) for _ in range(12)]
    with regions.failing(registry_delay_seconds=20):
        assert client.get(f"{MANIFESTS}/{images[0].digest}", ACCEPT).status == 200
        mark = control.mark()
        for image in images[1:]:
            began = time.monotonic()
            assert client.get(f"{MANIFESTS}/{image.digest}", ACCEPT).body == image.manifest
            assert time.monotonic() - began < 1
            time.sleep(0.3)
        probes, answers = regions.asked(mark)
    assert answers == len(images) - 1
    assert 1 <= probes <= 4, "one a second"


@pytest.mark.rule("R141")
def test_the_registry_is_used_again_once_it_answers_a_probe(client: Client, control: Control, regions: Regions) -> None:
    images = [regions.push(size_bytes=10) for _ in range(60)]
    with regions.failing(registry_status=500):
        assert client.get(f"{MANIFESTS}/{images.pop().digest}", ACCEPT).status == 200

    def asks_the_registry_alone() -> bool:
        mark = control.mark()
        assert client.get(f"{MANIFESTS}/{images.pop().digest}", ACCEPT).status == 200
        return regions.asked(mark) == (1, 0)

    wait_until(asks_the_registry_alone, "the registry is used again", seconds=10, pause_seconds=0.2)


@pytest.mark.rule("R141")
def test_one_request_that_ecr_always_fails_does_not_keep_the_registry_at_its_replica(
    client: Client, control: Control, regions: Regions
) -> None:
    images = [regions.push(size_bytes=10) for _ in range(40)]
    with regions.failing(registry_status=500, **LISTS):
        wait_until_lists_are_known_to_fail_alone(client, control, regions, images)
        assert manifests_are_asked_of_the_registry(client, control, regions, images, count=10)


@pytest.mark.rule("R141")
def test_no_third_client_waits_for_the_one_path_that_ecr_answers_late(
    client: Client, control: Control, regions: Regions
) -> None:
    images = [regions.push(size_bytes=10) for _ in range(40)]
    with regions.failing(registry_delay_seconds=20, **LISTS):
        wait_until_lists_are_known_to_fail_alone(client, control, regions, images)
        for _ in range(10):
            began = time.monotonic()
            assert client.get(LIST).status == 200
            assert time.monotonic() - began < ECR_SECONDS / 2
            time.sleep(0.2)
        assert manifests_are_asked_of_the_registry(client, control, regions, images, count=5)


@pytest.mark.rule("R141")
def test_a_path_that_failed_alone_comes_from_the_registry_once_that_answers_it(
    client: Client, control: Control, regions: Regions
) -> None:
    images = [regions.push(size_bytes=10) for _ in range(40)]
    with regions.failing(registry_status=500, **LISTS):
        wait_until_lists_are_known_to_fail_alone(client, control, regions, images)

    def comes_from_the_registry() -> bool:
        mark = control.mark()
        assert client.get(LIST).status == 200
        return regions.asked(mark) == (1, 0)

    wait_until(comes_from_the_registry, "the registry is asked for lists", seconds=10, pause_seconds=0.2)


def wait_until_lists_are_known_to_fail_alone(
    client: Client, control: Control, regions: Regions, images: list[Image]
) -> None:
    regions.push(secrets.token_hex(4), size_bytes=10)
    assert client.get(f"{MANIFESTS}/{images.pop().digest}", ACCEPT).status == 200
    wait_until(
        lambda: manifests_are_asked_of_the_registry(client, control, regions, images, count=1),
        "it is known to be one path",
        seconds=10,
        pause_seconds=0.4,
    )
    client.get(LIST)


def manifests_are_asked_of_the_registry(
    client: Client, control: Control, regions: Regions, images: list[Image], *, count: int
) -> bool:
    """Whether all of them are, while a list is requested before each."""
    mark = control.mark()
    for _ in range(count):
        client.get(LIST)
        assert client.get(f"{MANIFESTS}/{images.pop().digest}", ACCEPT).status == 200
    return regions.asked(mark, "registry.manifests") == (count, 0)


@pytest.mark.rule("R142", "F141")
@pytest.mark.parametrize("kind", ["tag", "manifest", "blob"])
def test_what_the_replica_lacks_is_503_until_it_is_replicated(client: Client, regions: Regions, kind: str) -> None:
    layer, tag = secrets.token_bytes(1000), secrets.token_hex(8)
    image = regions.registry.image(REPOSITORY, tag, [layer])
    regions.push()
    path = {
        "tag": f"{MANIFESTS}/{tag}",
        "manifest": f"{MANIFESTS}/{image.digest}",
        "blob": f"{BLOBS}/{image.layers[0]}",
    }[kind]
    with regions.failing(registry_status=500):
        answer = client.get(path, ACCEPT)
        assert (answer.status, answer.error_code()) == (503, "UNAVAILABLE")
        assert int(answer.header("Retry-After") or 0) > 0
        regions.replica.image(REPOSITORY, tag, [layer])
        # An error is shared for a second or two.
        wait_until(lambda: client.get(path, ACCEPT).status == 200, "it is served", seconds=2.9, pause_seconds=0.2)


@pytest.mark.rule("R142")
def test_what_both_regions_lack_is_404_when_the_registry_says_so(client: Client, regions: Regions) -> None:
    regions.push()
    assert client.get(f"{MANIFESTS}/{secrets.token_hex(8)}", ACCEPT).status == 404


@pytest.mark.rule("R142")
def test_a_list_does_not_go_on_in_the_other_region(client: Client, regions: Regions) -> None:
    for tag in ("list-a", "list-b"):
        regions.push(tag, size_bytes=10)
    path = f"/v2/{REPOSITORY}/tags/list?n=1"

    def next_page() -> str:
        return (client.get(path).header("Link") or "").partition(">")[0].removeprefix("<")

    of_registry = next_page()
    with regions.failing(registry_status=500):
        of_replica = next_page()
        assert client.get(of_replica).status == 200
        answer = client.get(of_registry)
        assert (answer.status, answer.error_code()) == (503, "UNAVAILABLE")
    wait_until(lambda: not client.get(path).header("Warning"), "the registry is used again", seconds=10)
    answer = client.get(of_replica)
    assert (answer.status, answer.error_code()) == (400, "UNSUPPORTED")
    assert answer.json()["errors"][0]["message"].endswith("or begin the list again")
    assert client.get(of_registry).status == 200


@pytest.mark.rule("R143")
def test_a_tag_of_the_replica_has_a_warning_and_a_digest_has_none(
    client: Client, control: Control, regions: Regions
) -> None:
    image = regions.push("moved")
    with regions.failing(registry_status=500):
        for _ in range(2):
            warned = client.get(f"{MANIFESTS}/moved", ACCEPT).header("Warning") or ""
            assert warned.startswith('299 - "ECR fails in the region of this registry: ')
        listed = client.get(f"/v2/{REPOSITORY}/tags/list")
        converted = client.get(f"{MANIFESTS}/moved", {"Accept": "application/vnd.oci.image.manifest.v1+json;q=0, */*"})
        assert (listed.header("Warning") or "").startswith("299 - ")
        assert (converted.header("Warning") or "").startswith("299 - ")
        for path in (f"{MANIFESTS}/{image.digest}", f"{BLOBS}/{image.layers[0]}"):
            assert client.get(path, ACCEPT).header("Warning") is None
    assert control.behaviour() == Behaviour()
    wait_until(
        lambda: not client.get(f"{MANIFESTS}/moved", ACCEPT).header("Warning"), "the tag is ECR's own", seconds=10
    )


@pytest.mark.rule("R144")
def test_without_a_valid_token_for_the_registry_the_replica_answers(
    client: Client, control: Control, regions: Regions, started: Pod, auths: dict[str, str], world: World
) -> None:
    images = [regions.push(size_bytes=10) for _ in range(3)]
    mark = control.mark()
    started.give({host: token for host, token in auths.items() if host != world.ecr_host})
    assert client.get(f"{MANIFESTS}/{images[0].digest}", ACCEPT).body == images[0].manifest
    over = (datetime.now(UTC) - timedelta(seconds=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    secret = {"auths": {host: {"auth": token} for host, token in auths.items()}}
    expiries = json.dumps({world.ecr_host: over}).encode()
    started.mount("credential", {".dockerconfigjson": json.dumps(secret).encode(), "expires_at_by_host": expiries})
    assert client.get(f"{MANIFESTS}/{images[1].digest}", ACCEPT).body == images[1].manifest
    assert regions.asked(mark) == (0, 2)
    started.mount("credential", {".dockerconfigjson": json.dumps(secret).encode(), "expires_at_by_host": b"{}"})
    started.give(auths | {world.ecr_host: "QVdTOm1hZGUtdXA="})
    assert client.get(f"{MANIFESTS}/{images[2].digest}", ACCEPT).body == images[2].manifest
    assert regions.asked(mark) == (2, 3), "the registry is also asked whether it accepts the credential"


@pytest.mark.rule("R144")
def test_a_request_that_is_not_valid_is_not_asked_of_the_replica(
    client: Client, control: Control, regions: Regions
) -> None:
    image = regions.push()
    mark = control.mark()
    with regions.failing(registry_status=400, registry_actions=["ecr:BatchGetImage"]):
        assert client.get(f"{MANIFESTS}/{image.digest}", ACCEPT).status == 400
    assert regions.asked(mark) == (2, 0)


@pytest.mark.rule("R144")
def test_what_ecr_forbids_does_not_come_from_the_replica(client: Client, control: Control, regions: Regions) -> None:
    image = regions.push()
    mark = control.mark()
    with regions.failing(denied_actions=["ecr:BatchGetImage"]):
        assert client.get(f"{MANIFESTS}/{image.digest}", ACCEPT).status == 403
    assert regions.asked(mark) == (2, 0), "the registry is then asked whether it accepts the credential"


@pytest.mark.rule("R144")
def test_a_token_that_ecr_refuses_with_403_does_not_lead_to_the_replica(
    client: Client, control: Control, regions: Regions, started: Pod, auths: dict[str, str], world: World
) -> None:
    """ECR's status for a token whose time has ended sooner than the proxy knows."""
    image = regions.push()
    with control.behaving(Behaviour(token_lifetime_seconds=-1)):
        dead = control.issue_token(world.region)
    started.give(auths | {world.ecr_host: dead.authorization})
    mark = control.mark()
    assert client.get(f"{MANIFESTS}/{image.digest}", ACCEPT).status == 503
    assert regions.asked(mark) == (2, 0)


@pytest.mark.rule("R142")
def test_what_the_replica_denies_is_not_denied_by_the_registry(
    client: Client, control: Control, regions: Regions, started: Pod, auths: dict[str, str], world: World
) -> None:
    """In another account, ECR says so of a repository that does not exist, and this one may not be replicated yet."""
    image = regions.push("denied-there", size_bytes=10)
    started.give({host: token for host, token in auths.items() if host != world.ecr_host})
    mark = control.mark()
    with control.behaving(Behaviour(denied_actions=frozenset({"ecr:BatchGetImage", "ecr:ListImages"}))):
        for path in (f"{MANIFESTS}/{image.digest}", f"{MANIFESTS}/denied-there", f"/v2/{REPOSITORY}/tags/list"):
            answer = client.get(path, ACCEPT)
            assert (answer.status, answer.error_code()) == (503, "UNAVAILABLE"), path
    assert regions.asked(mark) == (0, 6)


@pytest.mark.rule("R145")
def test_a_redirect_of_the_replica_is_not_used_once_the_registry_is_back(
    client: Client, control: Control, regions: Regions
) -> None:
    image = regions.push()
    path = f"{BLOBS}/{image.layers[0]}"
    mark = control.mark()
    with regions.failing(registry_status=500):
        for first in (0, 1 << 20):
            assert client.get(path, {"Range": f"bytes={first}-{first + 9}"}).status == 206
    assert regions.asked(mark, "registry.blobs") == (1, 1), (
        "the redirect of the replica is cached as that of the replica"
    )
    assert regions.asked(mark, "s3.layer") == (0, 2)
    time.sleep(1.2)
    assert client.get(f"{MANIFESTS}/{image.digest}", ACCEPT).status == 200
    wait_until(lambda: regions.asked(mark, "registry.manifests")[0], "the registry has answered a probe", seconds=5)
    time.sleep(0.5)
    assert client.get(path, {"Range": f"bytes={2 << 20}-{(2 << 20) + 9}"}).status == 206
    assert regions.asked(mark, "s3.layer") == (1, 2)


@pytest.mark.rule("R140")
def test_clients_that_wait_for_one_tag_cost_each_region_one_request(
    client: Client, control: Control, regions: Regions
) -> None:
    image = regions.push("once")
    mark = control.mark()
    with regions.failing(registry_status=500, registry_delay_seconds=0.5), ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: client.head(f"{MANIFESTS}/once", ACCEPT), range(10)))
    assert {answer.header("Docker-Content-Digest") for answer in answers} == {image.digest}
    assert regions.asked(mark) == (1, 2), "the tag, and then its manifest"


@pytest.mark.rule("R140")
def test_clients_that_revalidate_one_tag_share_the_failure_of_the_registry(
    client: Client, regions: Regions, started: Pod, settings: Settings
) -> None:
    """nginx coalesces no revalidation: requests of one second share what `ecr` says."""
    image = regions.push("again")
    assert client.head(f"{MANIFESTS}/again", ACCEPT).status == 200
    time.sleep(settings.proxy.cache.tag_seconds + 1)
    before = failed_over(started, "/manifests/again")
    with regions.failing(registry_status=500, registry_delay_seconds=0.5), ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: client.head(f"{MANIFESTS}/again", ACCEPT), range(10)))
    assert {answer.header("Docker-Content-Digest") for answer in answers} == {image.digest}
    assert 1 <= failed_over(started, "/manifests/again") - before <= 2, "two, where a second ends in between"


def failed_over(pod: Pod, end: str) -> int:
    """How many requests for a path `ecr` has left to the replica."""
    return sum(line["status"] == 530 and line["path"].endswith(end) for line in pod.log_lines("ecr"))


@pytest.mark.rule("R33")
def test_a_registry_without_a_replica_keeps_its_errors(
    client: Client, control: Control, regions: Regions, other_account: Publisher
) -> None:
    other_account.image("other/app", "1", [b"layer"])
    regions.push()
    with control.behaving(Behaviour(region=regions.world.region, registry_status=429, registry_retry_after_seconds=7)):
        answer = client.get("/v2/other/app/manifests/1", ACCEPT)
    assert (answer.status, answer.header("Retry-After")) == (429, "7")
