"""What Prometheus gets of requests: every one is counted once, by where its content came from."""

import random
import re
import secrets
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial

import pytest

from lambda_fn.settings import Settings
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.pod import Pod
from testbed.sandbox.pod_metrics import (
    UNFINISHED,
    balanced,
    internal,
    requests,
    samples,
    settled_requests,
    value,
    with_metrics,
)
from testbed.sandbox.world import World
from testbed.waiting import eventually, wait_until
from tests.proxy.cache_times import ERRORS_LAST_SECONDS, TAG_EXPIRED_SECONDS
from tests.proxy.client import ACCEPT, Client

MIB = 1 << 20
KINDS = ("hit", "miss", "stale", "none")
SENT, FROM_S3 = "frontdoor_sent_bytes_total", "frontdoor_s3_bytes_total"
WAITS = "frontdoor_coalesced_waits_total"
REFUSED_TAGS = "frontdoor_refused_tags_total"
REFUSED_ACTIONS = frozenset({"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:ListImages"})
COUNTED_ACTIONS = ("blob_location", "manifest", "tag", "tag_list")

pytestmark = [pytest.mark.usefixtures("started")]


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    return with_metrics(settings)


Counted = Callable[[Callable[[], object]], dict[str, int]]


@pytest.fixture
def counted() -> Counted:
    """The requests of clients that an action adds, by where their content came from; none are left out."""

    def count(action: Callable[[], object]) -> dict[str, int]:
        before = settled_requests()
        action()
        settled()
        after = settled_requests()
        return {kind: after[kind] - before[kind] for kind in KINDS if after[kind] != before[kind]}

    return count


def settled() -> None:
    """Return when only the request for the metrics is not finished, and the last one is counted."""
    wait_until(lambda: value(UNFINISHED) == 1, "all requests have ended")
    time.sleep(0.05)


def ecr(action: str, result: str) -> str:
    return f'frontdoor_ecr_requests_total{{action="{action}",result="{result}"}}'


def errors(status: str) -> str:
    return f'frontdoor_error_answers_total{{status="{status}"}}'


@pytest.mark.rule("R111")
def test_a_request_is_counted_by_where_its_content_came_from(
    client: Client, control: Control, counted: Counted, publisher: Publisher
) -> None:
    image = publisher.image("team/app", "counted", [secrets.token_bytes(3 * MIB)])
    by_tag, by_digest = "/v2/team/app/manifests/counted", f"/v2/team/app/manifests/{image.digest}"
    small = f"/v2/team/app/blobs/{publisher.blob('team/app', b'x' * 10_000)}"
    large = f"/v2/team/app/blobs/{publisher.blob('team/app', secrets.token_bytes(3 * MIB + 1))}"
    part = {"Range": "bytes=0-99"}
    assert counted(lambda: client.get("/v2/")) == {"none": 1}
    assert counted(lambda: client.get(by_tag, ACCEPT)) == {"miss": 1}
    assert counted(lambda: [client.get(by_tag, ACCEPT), client.head(by_tag, ACCEPT)]) == {"hit": 2}
    assert counted(lambda: [client.get(by_digest, ACCEPT), client.head(by_digest, ACCEPT)]) == {"hit": 2}
    for blob in (small, large):
        whole, short = partial(client.get, blob), partial(client.get, blob, part)
        assert counted(whole) == {"miss": 1}
        assert [counted(whole) for _ in range(3)] == [{"hit": 1}] * 3
        assert counted(short) == {"miss": 1}, "a part has a slice of its own size"
        assert counted(short) == {"hit": 1}
    assert counted(lambda: client.get("/v2/team/app/tags/list")) == {"none": 1}
    assert counted(lambda: client.get("/v2/no/such/manifests/1")) == {"none": 1}
    assert counted(lambda: client.get("/v2/team/app/manifests/none", ACCEPT)) == {"miss": 1}
    assert counted(lambda: client.get("/v2/team/app/manifests/none", ACCEPT)) == {"hit": 1}, "negative caching"
    assert counted(lambda: client.send_raw(b"GET / HTTP/9\r\n\r\n")) == {"none": 1}
    assert counted(lambda: client.send_raw(b"nonsense\r\n")) == {"none": 1}
    time.sleep(TAG_EXPIRED_SECONDS)
    assert counted(lambda: client.get(by_tag, ACCEPT)) == {"miss": 1}, "the tag is looked up, not its manifest"
    time.sleep(TAG_EXPIRED_SECONDS)
    with control.behaving(Behaviour(registry_status=503)):
        assert counted(lambda: client.get(by_tag, ACCEPT)) == {"stale": 1}
    assert counted(lambda: [client.get("/-/ready"), client.get("/-/live"), client.get("/-/startup")]) == {}


@pytest.mark.rule("R111")
def test_hits_misses_and_internal_requests_are_all_that_nginx_counts_under_load(
    client: Client, control: Control, publisher: Publisher, started: Pod
) -> None:
    """The access log says what clients have asked for, and each pod's own servers what they have passed on."""
    blobs = [publisher.blob("team/app", secrets.token_bytes(size)) for size in (10_000, MIB + 1, 3 * MIB, 40)]
    images = [publisher.image("team/app", f"mix-{n}", [b"%d" % n]) for n in range(4)]
    paths = [f"/v2/team/app/blobs/{blob}" for blob in blobs]
    paths += [f"/v2/team/app/manifests/{image.digest}" for image in images]
    paths += [f"/v2/team/app/manifests/mix-{n}" for n in range(4)]
    paths += ["/v2/", "/v2/team/app/tags/list", "/v2/team/app/manifests/missing", "/nothing", "/-/ready"]
    hits: list[float] = []

    def use(seed: int) -> None:
        chosen = random.Random(seed)  # noqa: S311 - which requests, the same in each run
        for _ in range(40):
            path = chosen.choice(paths)
            if chosen.random() < 0.1:
                client.open("GET", path).close()
            else:
                client.ask(chosen.choice(["GET", "GET", "HEAD"]), path, ACCEPT)

    before = samples()
    logged_before = len(started.log_lines("front"))
    with control.behaving(Behaviour(s3_bytes_per_second=5 * MIB)), ThreadPoolExecutor(8) as pool:
        working = [pool.submit(use, seed) for seed in range(8)]
        while not all(one.done() for one in working):
            hits.append(requests()["hit"])
        for one in working:
            one.result()
    # After a scrape between the end of a request and its count, there is one hit too many until the next request.
    for _ in range(3):
        client.get(paths[0])
    settled()
    after = eventually(balanced)
    assert after, "the sum of all requests differs from nginx's total each time"
    found = requests(after)
    logged = started.log_lines("front")[logged_before:]
    assert sum(found.values()) - sum(requests(before).values()) == len(logged)
    assert hits == sorted(hits), "a counter that falls would be a restart for Prometheus"
    cached = Counter(str(line["cache"]) for line in logged)
    assert found["none"] - requests(before)["none"] == cached[""]
    # Of a tag, nginx's word is about the manifest that it names: a hit, also after the tag was looked up.
    assert 0 <= cached["HIT"] - (found["hit"] - requests(before)["hit"]) <= cached["HIT"] / 4
    for server in ("ecr", "tags"):
        assert internal(after)[server] == len(started.log_lines(server))


@pytest.mark.rule("R112")
def test_requests_to_ecr_are_counted_by_action_and_result(
    client: Client, control: Control, publisher: Publisher
) -> None:
    image = publisher.image("team/app", "actions", [b"a layer of actions"])
    blob = publisher.blob("team/app", secrets.token_bytes(1000))
    before = samples()
    client.get("/v2/team/app/manifests/actions", ACCEPT)
    client.get(f"/v2/team/app/blobs/{blob}")
    client.get("/v2/team/app/tags/list")
    client.get(f"/v2/team/app/referrers/{image.digest}")
    client.get("/v2/team/app/manifests/no-such-tag", ACCEPT)
    client.get(f"/v2/team/app/blobs/sha256:{'0' * 64}")
    with control.behaving(Behaviour(registry_status=503)):
        for number in range(4):
            client.get(f"/v2/team/app/manifests/failing-{number}", ACCEPT)
        settled()
        assert value('frontdoor_circuits{state="open"}') == 1
        assert value('frontdoor_registries_not_asked{instead="nothing"}') == 1
    settled()
    after = samples()
    added = {name: after[name] - before[name] for name in after if "ecr_requests" in name}
    assert {name: count for name, count in added.items() if count} == {
        ecr("tag", "ok"): 1,
        ecr("manifest", "ok"): 1,
        ecr("blob_location", "ok"): 1,
        ecr("blob_location", "missing"): 1,
        ecr("tag_list", "ok"): 1,
        ecr("referrers", "ok"): 1,
        ecr("tag", "missing"): 2,
        ecr("tag", "failed"): 3,
        ecr("tag", "circuit_open"): 1,
    }
    assert after[errors("404")] - before[errors("404")] == 2
    assert after[errors("503")] - before[errors("503")] == 4
    assert value('frontdoor_circuits{state="closed"}') in (1, 2)


@pytest.mark.rule("R112")
def test_what_a_client_asks_in_vain_is_no_refusal_by_ecr_or_s3(client: Client, publisher: Publisher) -> None:
    """Alerts of a refused credential and of failures of S3 would go off."""
    publisher.image("team/app", "in-vain", [b"a layer in vain"])
    empty, small = publisher.blob("team/app", b""), publisher.blob("team/app", secrets.token_bytes(1000))
    before = samples()
    assert client.get("/v2/team/app/tags/list?last=never").status == 400
    assert client.get(f"/v2/team/app/blobs/{empty}").status == 200
    for _ in range(3):
        assert client.get(f"/v2/team/app/blobs/{small}", {"Range": "bytes=1000-"}).status == 416
    settled()
    after = samples()
    names = [name for name in after if re.search("(?:ecr|s3)_requests", name) and after[name] != before[name]]
    assert sorted(name for name in names if 'result="ok"' not in name) == [ecr("tag_list", "invalid")]
    assert 'frontdoor_s3_requests_total{result="ok"}' in names


def counted_refusals(client: Client, status: int) -> list[str]:
    """Four requests that all get this status, and what they add to the requests to ECR."""
    name, before = secrets.token_hex(32), samples()
    assert client.head(f"/v2/team/app/manifests/{name}", ACCEPT).status == status
    for path in (f"manifests/sha256:{name}", f"blobs/sha256:{name}", "tags/list"):
        assert client.get(f"/v2/team/app/{path}", ACCEPT).status == status
    settled()
    after = samples()
    added = {error: after[errors(error)] - before[errors(error)] for error in ("400", "403", "503")}
    assert added == {"400": 0, "403": 0, "503": 0, str(status): 4}
    return sorted(name for name in after if "ecr_requests" in name and after[name] != before[name])


@pytest.mark.rule("R112")
def test_a_repository_that_ecr_refuses_is_counted_apart_from_a_credential_that_it_refuses(
    client: Client, control: Control, pod: Pod, world: World
) -> None:
    """Every client can ask for the former. ECR answers both with 403."""
    with control.behaving(Behaviour(denied_actions=REFUSED_ACTIONS)):
        assert counted_refusals(client, 403) == [ecr(action, "denied") for action in COUNTED_ACTIONS]
    with control.behaving(Behaviour(token_lifetime_seconds=-1)):
        dead = control.issue_token(world.region)
    pod.give(dict.fromkeys(world.ecr_hosts, dead.authorization))
    try:
        assert counted_refusals(client, 503) == [ecr(action, "refused") for action in COUNTED_ACTIONS]
    finally:
        pod.give(dict.fromkeys(world.ecr_hosts, control.issue_token(world.region).authorization))


@pytest.mark.rule("R114")
def test_a_tag_that_ecr_sent_before_and_refuses_now_is_counted(
    client: Client, control: Control, publisher: Publisher
) -> None:
    """No client can cause it: the role, or the repository's policy, has lost a right."""
    publisher.image("team/app", "refused-later", [b"a layer of a tag that is refused later"])
    known, unknown = "/v2/team/app/manifests/refused-later", f"/v2/team/app/manifests/{secrets.token_hex(8)}"
    assert client.get(known, ACCEPT).header("Warning") is None
    before = value(REFUSED_TAGS)
    time.sleep(TAG_EXPIRED_SECONDS)
    with control.behaving(Behaviour(denied_actions=frozenset({"ecr:BatchGetImage"}))):
        answer = client.get(known, ACCEPT)
        assert (answer.status, (answer.header("Warning") or "")[:4]) == (200, "299 ")
        for _ in range(3):
            assert client.get(unknown, ACCEPT).status == 403
            time.sleep(ERRORS_LAST_SECONDS)
        settled()
        assert value(REFUSED_TAGS) - before == 1
    time.sleep(TAG_EXPIRED_SECONDS)
    assert client.get(known, ACCEPT).header("Warning") is None
    time.sleep(TAG_EXPIRED_SECONDS)
    with control.behaving(Behaviour(registry_status=503)):
        assert client.get(known, ACCEPT).header("Warning")
    settled()
    assert value(REFUSED_TAGS) - before == 1


@pytest.mark.rule("R112")
def test_a_request_that_is_not_valid_is_counted_apart_from_a_credential_that_ecr_refuses(
    client: Client, control: Control, pod: Pod, world: World
) -> None:
    """A client may be the cause of the former. ECR answers both with 400."""
    with control.behaving(Behaviour(registry_status=400, registry_actions=REFUSED_ACTIONS)):
        assert counted_refusals(client, 400) == [ecr(action, "invalid") for action in COUNTED_ACTIONS]
    pod.give(dict.fromkeys(world.ecr_hosts, "QVdTOm1hZGUtdXA="))
    try:
        assert counted_refusals(client, 503) == [ecr(action, "refused") for action in COUNTED_ACTIONS]
    finally:
        pod.give(dict.fromkeys(world.ecr_hosts, control.issue_token(world.region).authorization))


@pytest.mark.rule("R113")
def test_bytes_to_clients_and_from_s3_are_counted(client: Client, publisher: Publisher) -> None:
    content = secrets.token_bytes(5 * MIB + 7)
    path = f"/v2/team/app/blobs/{publisher.blob('team/app', content)}"
    before = samples()
    for _ in range(3):
        assert client.get(path).body == content
    settled()
    after = samples()
    assert after[FROM_S3] - before[FROM_S3] == len(content)
    assert after[SENT] - before[SENT] == 3 * len(content)


@pytest.mark.rule("R113")
def test_a_large_blob_is_counted_while_it_is_pulled(client: Client, control: Control, publisher: Publisher) -> None:
    """Of 300 MB, in pieces of 64 MiB; the second pull comes from the cache."""
    publisher.blob("team/app", b"the repository exists")
    size = 300_000_000
    path = f"/v2/team/app/blobs/{control.generated_layer(size)}"
    before = samples()
    with closing(client.open("GET", path)) as connection:
        answer = connection.getresponse()
        answer.read(200_000_000)
        wait_until(lambda: value(SENT) - before[SENT] >= 2 * 64 * MIB, "pieces are counted")
        assert len(answer.read()) == size - 200_000_000
    settled()
    cold = samples()
    assert cold[SENT] - before[SENT] == size
    assert size <= cold[FROM_S3] - before[FROM_S3] <= size * 1.02
    assert {kind: n - requests(before)[kind] for kind, n in requests(cold).items() if n != requests(before)[kind]} == {
        "miss": 1
    }
    with closing(client.open("GET", path)) as connection:
        assert len(connection.getresponse().read()) == size
    settled()
    warm = samples()
    assert (warm[SENT] - cold[SENT], warm[FROM_S3] - cold[FROM_S3]) == (size, 0)
    assert requests(warm)["hit"] - requests(cold)["hit"] == 1
    read_ahead = {name: count for name, count in warm.items() if "read_ahead" in name}
    assert read_ahead['frontdoor_read_ahead_slices_total{result="fetched"}'] > 0
    assert read_ahead['frontdoor_read_ahead_slices_total{result="failed"}'] == 0


@pytest.mark.rule("R114")
def test_clients_that_wait_for_the_fetch_of_another_are_counted(
    client: Client, control: Control, publisher: Publisher
) -> None:
    image = publisher.image("team/app", "awaited", [b"awaited"])
    path = f"/v2/team/app/manifests/{image.digest}"
    before = value(WAITS)
    with control.behaving(Behaviour(registry_delay_seconds=1.2)), ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: client.get(path, ACCEPT).status, range(6)))
    settled()
    assert answers == [200] * 6
    assert value(WAITS) - before == 5
    client.get(path, ACCEPT)
    settled()
    assert value(WAITS) - before == 5


@pytest.mark.rule("R111")
def test_tags_from_the_cache_are_counted_without_njs_and_begin_again_with_the_container(
    client: Client, publisher: Publisher, started: Pod
) -> None:
    """For longer than the ten seconds after which nginx writes to the other file."""
    publisher.image("team/app", "without-njs", [b"x"])
    path, begin, asked = "/v2/team/app/manifests/without-njs", time.monotonic(), 0
    before = samples()
    while time.monotonic() - begin < 16:
        client.get(path, ACCEPT)
        asked += 1
        time.sleep(0.1)
    settled()
    assert sum(requests().values()) - sum(requests(before).values()) == asked
    assert internal()["tags"] - internal(before)["tags"] == asked
    files = [file.stat().st_size for file in (started.folder / "run").glob("*.count")]
    assert len(files) == 2
    assert sum(files) < asked
    started.kill()
    started.restart()
    assert internal()["tags"] == 0
    assert requests()["hit"] == 0
