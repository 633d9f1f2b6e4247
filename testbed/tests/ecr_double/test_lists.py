"""Lists and their pages: rows L of testbed/docs/ecr-double.md."""

import re

import httpx2
import pytest

from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.world import World

NAMES = [f"v{number:04}" for number in range(110)]


@pytest.fixture(scope="module")
def tagged() -> dict[str, bool]:
    """Whether the repository with many tags has been filled; filling it takes seconds."""
    return {}


@pytest.fixture
def many_tags(tagged: dict[str, bool], publisher: Publisher) -> str:
    repository = "test/many-tags"
    if not tagged:
        image = publisher.image(repository, NAMES[0], [b"layer"])
        for name in NAMES[1:]:
            publisher.manifest(repository, name, image.manifest)
        tagged["filled"] = True
    return repository


def next_link(answer: httpx2.Response) -> str | None:
    match = re.fullmatch('<(.+)>; rel="next"', answer.headers.get("Link", ""))
    return match[1] if match else None


def pages(ecr: httpx2.Client, url: str, *, encoded: bool = False) -> list[list[str]]:
    found = []
    following: str | None = url
    while following:
        answer = ecr.get(following.replace("+", "%2B") if encoded else following)
        assert answer.status_code == 200
        found.append(answer.json().get("tags") or answer.json()["repositories"])
        following = next_link(answer)
    return found


@pytest.mark.row("L1")
def test_a_page_has_a_hundred_tags(ecr: httpx2.Client, many_tags: str) -> None:
    answer = ecr.get(f"/v2/{many_tags}/tags/list")

    assert answer.json() == {"name": many_tags, "tags": NAMES[:100]}


@pytest.mark.row("L2")
@pytest.mark.parametrize("encoded", [False, True])
def test_following_the_links_gives_every_tag_once(ecr: httpx2.Client, many_tags: str, *, encoded: bool) -> None:
    found = pages(ecr, f"/v2/{many_tags}/tags/list", encoded=encoded)

    assert [len(page) for page in found] == [100, 10]
    assert [name for page in found for name in page] == NAMES


@pytest.mark.row("L3")
def test_n_is_the_size_of_a_page_and_stays_so(ecr: httpx2.Client, many_tags: str) -> None:
    assert [len(page) for page in pages(ecr, f"/v2/{many_tags}/tags/list?n=50")] == [50, 50, 10]


@pytest.mark.row("L4")
def test_a_thousand_at_once_is_the_most(ecr: httpx2.Client, many_tags: str) -> None:
    most = ecr.get(f"/v2/{many_tags}/tags/list?n=1000")
    more = ecr.get(f"/v2/{many_tags}/tags/list?n=1001")

    assert (most.status_code, len(most.json()["tags"]), next_link(most)) == (200, len(NAMES), None)
    assert more.status_code == 400
    assert more.json()["errors"] == [
        {
            "code": "UNSUPPORTED",
            "message": "Invalid parameter at 'maxResults' failed to satisfy constraint: "
            "'Member must have value less than or equal to 1000'",
        },
    ]


@pytest.mark.row("L5")
def test_the_link_is_absolute_and_its_cursor_opaque(ecr: httpx2.Client, many_tags: str, world: World) -> None:
    link = next_link(ecr.get(f"/v2/{many_tags}/tags/list?n=50")) or ""

    path, _, cursor = link.partition("&last=")
    assert path == f"https://{world.ecr_host}/v2/{many_tags}/tags/list?n=50"
    assert {"+", "/", "="} <= set(cursor)
    assert NAMES[49] not in cursor


@pytest.mark.row("L6")
@pytest.mark.parametrize("query", ["last=v0001", "last=%2B%2F%2B%2Bx", "n=many", "n=0", "n=-1"])
def test_a_query_ecr_does_not_understand_is_refused(ecr: httpx2.Client, many_tags: str, query: str) -> None:
    assert ecr.get(f"/v2/{many_tags}/tags/list?{query}").status_code == 400


@pytest.mark.row("L7")
def test_the_catalog_lists_the_account_in_pages(
    client: httpx2.Client, ecr: httpx2.Client, publisher: Publisher, world: World, authorization: str, repository: str
) -> None:
    mine = [f"{repository}/a", f"{repository}/b", f"{repository}/c"]
    for name in mine:
        publisher.blob(name, b"content")
    Publisher(client, world.registry_host(world.other_account), authorization).blob(f"{repository}/d", b"content")

    listed = [name for page in pages(ecr, "/v2/_catalog?n=2") for name in page]

    assert [name for name in listed if name.startswith(repository)] == mine
