"""Tag lists in pages, referrers, and the query parameters that are sent to ECR."""

import json
import math
import re
from collections.abc import Callable
from urllib.parse import quote

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


@pytest.fixture
def sent(client: Client, control: Control, proxy: Pod) -> Callable[[str], set[str]]:
    """What ECR gets for a request: nginx logs the URL of the upstream as an error when ECR does not answer."""

    def urls(asked: str) -> set[str]:
        wait_until_circuit_is_closed(client)
        before = len(proxy.error_log())
        with control.behaving(Behaviour(registry_outage="reset")):
            client.get(f"/v2/team/listed/{asked}")
        return set(re.findall(r'upstream: "https://192[^/]+/v2/team/listed/(\S+)"', proxy.error_log()[before:]))

    return urls


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
@pytest.mark.parametrize("n", ["-1", "00", "010", "abc", "1e2", "%31%30", "10,10", "1" + "0" * 30])
def test_a_page_size_that_is_not_a_number_is_400(client: Client, control: Control, n: str) -> None:
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
@pytest.mark.parametrize("n", ["1001", "10000", "9" * 19])
@pytest.mark.usefixtures("image")
def test_a_larger_page_size_is_sent_to_ecr_as_the_largest(
    client: Client, sent: Callable[[str], set[str]], n: str
) -> None:
    answer = client.get(f"/v2/team/listed/tags/list?n={n}")
    assert answer.status == 200
    assert json.loads(answer.body)["tags"] == TAGS
    assert sent(f"tags/list?n={n}") == {"tags/list?n=1000"}


@pytest.mark.rule("R10")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_page_of_no_tags_is_an_empty_list_without_asking_ecr(client: Client, control: Control, method: str) -> None:
    mark = control.mark()
    answer = client.ask(method, "/v2/team/listed/tags/list?n=0&last=x")
    assert answer.status == 200
    assert method == "HEAD" or answer.json() == {"name": "team/listed", "tags": []}
    assert control.requests(mark).entries == ()


@pytest.mark.rule("R10")
@pytest.mark.usefixtures("image")
def test_a_cursor_that_ecr_did_not_issue_is_400(client: Client) -> None:
    answer = client.get("/v2/team/listed/tags/list?last=never")
    assert (answer.status, answer.error_code()) == (400, "UNSUPPORTED")
    assert answer.header("Retry-After") is None, "a retry does not fix a cursor"


DIGEST = digest_of(b"x")


@pytest.mark.rule("R9")
@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("manifests/t000?ns=registry.frontdoor.test&X-Amz-Date=1", "manifests/t000"),
        (f"blobs/{DIGEST}?ns=registry.frontdoor.test", f"blobs/{DIGEST}"),
        ("tags/list", "tags/list"),
        ("tags/list?ns=registry.frontdoor.test", "tags/list"),
        ("tags/list?ns=registry.frontdoor.test&n=10", "tags/list?n=10"),
        ("tags/list?n=10000&last=a", "tags/list?n=1000&last=a"),
        ("tags/list?last=%2Fa+b/c=%3D&x=y", "tags/list?last=%2Fa+b/c=%3D"),
        ("tags/list?last=a|b&ns=registry.frontdoor.test&n=10", "tags/list?n=10&last=a|b"),
        (f"referrers/{DIGEST}?ns=registry.frontdoor.test", f"referrers/{DIGEST}"),
        (
            f"referrers/{DIGEST}?ns=registry.frontdoor.test&artifactType=application/x%2Bjson",
            f"referrers/{DIGEST}?artifactType=application/x%2Bjson",
        ),
        (
            f"referrers/{DIGEST}?X-Amz-Date=1&nextToken=+/a==&NS=registry.frontdoor.test",
            f"referrers/{DIGEST}?nextToken=+/a==",
        ),
    ],
)
def test_only_query_parameters_that_ecr_knows_are_sent(
    sent: Callable[[str], set[str]], asked: str, expected: str
) -> None:
    assert sent(asked) == {expected}


SBOM, SIGNATURE = "application/spdx+json", "application/vnd.example.signature"


@pytest.fixture(scope="module")
def referrers(publisher: Publisher, image: Image) -> dict[str, str]:
    """The digests of 45 referrers, every fifth of another type, and their types."""
    types = [SBOM if number % 5 else SIGNATURE for number in range(45)]
    return {publisher.referrer("team/listed", image, one, number): one for number, one in enumerate(types)}


@pytest.mark.rule("R9")
@pytest.mark.parametrize("cursor", ["nextToken", "last", "continue-at"])
@pytest.mark.parametrize("kind", ["", SBOM, SIGNATURE])
def test_following_the_links_lists_every_referrer_once(
    client: Client, control: Control, image: Image, referrers: dict[str, str], cursor: str, kind: str
) -> None:
    """With any parameter for the cursor: that of ECR is not documented."""
    wanted = [digest for digest, one in referrers.items() if kind in {"", one}]
    query = f"?artifactType={quote(kind, safe='')}&ns=registry.frontdoor.test" if kind else ""
    mark = control.mark()
    with control.behaving(Behaviour(list_cursor=cursor)):
        found = _referrers(client, f"/v2/team/listed/referrers/{image.digest}{query}")
    assert sorted(found) == sorted(wanted)
    assert len(control.requests(mark).entries) == math.ceil(len(wanted) / 20)


@pytest.mark.rule("R9")
@pytest.mark.usefixtures("referrers")
@pytest.mark.parametrize(
    ("path", "cursor"),
    [("tags/list?n=10", "nextToken"), ("referrers/{digest}", "ns"), ("referrers/{digest}", "X-Amz-At")],
)
def test_a_link_that_would_lead_to_the_same_page_again_is_not_given(
    client: Client, control: Control, image: Image, path: str, cursor: str
) -> None:
    with control.behaving(Behaviour(list_cursor=cursor)):
        answer = client.get(f"/v2/team/listed/{path.format(digest=image.digest)}")
    assert (answer.status, answer.header("Link")) == (200, None)


@pytest.mark.rule("R10")
@pytest.mark.parametrize("query", ['nextToken="x"', "nextToken=<x>", f"nextToken={'x' * 7000}"])
def test_a_query_that_ecr_could_not_have_issued_never_reaches_it(client: Client, control: Control, query: str) -> None:
    mark = control.mark()
    answer = client.get(f"/v2/team/listed/referrers/{DIGEST}?{query}")
    assert (answer.status, answer.error_code()) == (400, "UNSUPPORTED")
    assert control.requests(mark).entries == ()


@pytest.mark.rule("R10")
def test_a_query_for_referrers_that_ecr_refuses_is_400(client: Client) -> None:
    answer = client.get(f"/v2/team/listed/referrers/{DIGEST}?nextToken=never")
    assert (answer.status, answer.error_code()) == (400, "UNSUPPORTED")


@pytest.mark.rule("R28")
def test_a_manifest_without_referrers_has_an_empty_list(client: Client) -> None:
    answer = client.get(f"/v2/team/listed/referrers/{DIGEST}")
    assert (answer.status, json.loads(answer.body)["manifests"]) == (200, [])
    assert answer.header("Content-Type") == "application/vnd.oci.image.index.v1+json"


@pytest.mark.rule("R30")
def test_referrers_of_a_missing_repository_are_404(client: Client) -> None:
    answer = client.get(f"/v2/team/missing/referrers/{DIGEST}")
    assert (answer.status, json.loads(answer.body)["errors"][0]["code"]) == (404, "NAME_UNKNOWN")


def _referrers(client: Client, path: str) -> list[str]:
    """Those of every page; it stops at a page that has been read before."""
    found: list[str] = []
    following: str | None = path
    for _ in range(10):
        if following is None:
            return found
        answer = client.get(following)
        found += [one["digest"] for one in json.loads(answer.body)["manifests"]]
        link = answer.header("Link")
        following = _next(link) if link else None
    raise AssertionError(found)


def _next(link: str) -> str:
    found = re.match(r"<([^>]+)>", link)
    assert found
    return found[1]
