"""Tag lists in pages, referrers, and the query parameters that are sent to ECR."""

import json
import re

import pytest

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Image, Publisher, digest_of
from testbed.sandbox.pod import Pod
from tests.proxy.cache_times import wait_until_circuit_is_closed
from tests.proxy.client import Client

TAGS = [f"t{number:03}" for number in range(25)]

pytestmark = pytest.mark.usefixtures("proxy")


@pytest.fixture(scope="module")
def image(publisher: Publisher) -> Image:
    made = publisher.image("team/listed", TAGS[0], [b"layer"])
    for tag in TAGS[1:]:
        publisher.manifest("team/listed", tag, made.manifest)
    return made


@pytest.mark.rule("R9")
@pytest.mark.usefixtures("image")
def test_following_the_links_lists_every_tag_once(client: Client) -> None:
    found: list[str] = []
    path: str | None = "/v2/team/listed/tags/list?n=10"
    while path:
        answer = client.get(path)
        found += json.loads(answer.body)["tags"]
        link = answer.header("Link")
        path = _next(link) if link else None
    assert found == TAGS


@pytest.mark.rule("R29")
@pytest.mark.usefixtures("image")
def test_a_link_points_to_this_registry_with_ecrs_cursor_unchanged(client: Client) -> None:
    link = client.get("/v2/team/listed/tags/list?n=10").header("Link")
    assert link
    path, cursor = _next(link).split("&last=")
    assert path == "/v2/team/listed/tags/list?n=10"
    assert {"+", "/", "="} <= set(cursor)
    assert link.endswith('; rel="next"')


@pytest.mark.rule("R10")
@pytest.mark.parametrize("n", ["0", "-1", "1001", "abc", "1e2", "%31%30", "10,10"])
def test_a_page_size_outside_1_to_1000_is_400(client: Client, control: Control, n: str) -> None:
    mark = control.mark()
    answer = client.get(f"/v2/team/listed/tags/list?n={n}")
    assert (answer.status, answer.error_code()) == (400, "PAGINATION_NUMBER_INVALID")
    assert control.requests(mark).entries == ()


@pytest.mark.rule("R10")
@pytest.mark.usefixtures("image")
@pytest.mark.parametrize("n", ["1", "999", "1000"])
def test_a_valid_page_size_is_sent_to_ecr(client: Client, n: str) -> None:
    answer = client.get(f"/v2/team/listed/tags/list?n={n}")
    assert answer.status == 200
    assert len(json.loads(answer.body)["tags"]) == min(int(n), len(TAGS))


@pytest.mark.rule("R10")
@pytest.mark.usefixtures("image")
def test_a_cursor_that_ecr_did_not_issue_is_400(client: Client) -> None:
    answer = client.get("/v2/team/listed/tags/list?last=never")
    assert (answer.status, answer.error_code()) == (400, "UNSUPPORTED")
    assert answer.header("Retry-After") is None, "a retry does not fix a cursor"


DIGEST = digest_of(b"x")


@pytest.mark.rule("R9")
@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ("manifests/t000?ns=evil&X-Amz-Date=1", "manifests/t000"),
        (f"blobs/{DIGEST}?ns=evil", f"blobs/{DIGEST}"),
        ("tags/list", "tags/list"),
        ("tags/list?ns=evil", "tags/list"),
        ("tags/list?ns=evil&n=10", "tags/list?n=10"),
        ("tags/list?last=%2Fa+b/c=%3D&x=y", "tags/list?last=%2Fa+b/c=%3D"),
        ("tags/list?last=a|b&ns=evil&n=10", "tags/list?n=10&last=a|b"),
        (f"referrers/{DIGEST}?ns=evil", f"referrers/{DIGEST}"),
        (
            f"referrers/{DIGEST}?ns=evil&artifactType=application/x%2Bjson",
            f"referrers/{DIGEST}?artifactType=application/x%2Bjson",
        ),
    ],
)
def test_only_query_parameters_that_ecr_knows_are_sent(
    client: Client, control: Control, proxy: Pod, asked: str, sent: str
) -> None:
    """nginx logs the URL of the upstream as an error when ECR does not answer."""
    wait_until_circuit_is_closed(client)
    before = len(proxy.error_log())
    with control.behaving(Behaviour(registry_outage="reset")):
        client.get(f"/v2/team/listed/{asked}")
    upstreams = re.findall(r'upstream: "https://192[^/]+(\S+)"', proxy.error_log()[before:])
    assert set(upstreams) == {f"/v2/team/listed/{sent}"}


def test_referrers_come_from_ecr(client: Client, control: Control, image: Image) -> None:
    mark = control.mark()
    client.get(f"/v2/team/listed/referrers/{image.digest}?artifactType=application/x&ns=x")
    (entry,) = control.requests(mark).entries
    assert (entry.kind, entry.path) == ("registry.referrers", f"/v2/team/listed/referrers/{image.digest}")


@pytest.mark.rule("R30")
def test_a_registry_without_referrers_answers_404(client: Client) -> None:
    """Clients fall back to tags after a 404."""
    assert client.get(f"/v2/team/listed/referrers/{digest_of(b'x')}").status == 404


def _next(link: str) -> str:
    found = re.match(r"<([^>]+)>", link)
    assert found
    return found[1]
