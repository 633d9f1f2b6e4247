"""Lists and their pages: rows L of testbed/docs/ecr-double.md."""

import re
from urllib.parse import quote

import httpx2
import pytest

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Image, Publisher
from testbed.sandbox.world import World

SIGNED = "test/signed"
SBOM, SIGNATURE = "application/spdx+json", "application/vnd.example.signature"
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


@pytest.fixture(scope="module")
def signed_once() -> list[Image]:
    """The image with many referrers, once it is pushed."""
    return []


@pytest.fixture
def signed(signed_once: list[Image], publisher: Publisher) -> Image:
    """An image with 60 referrers, every third of another kind."""
    if not signed_once:
        signed_once.append(publisher.image(SIGNED, "1", [b"layer"]))
        for number in range(60):
            publisher.referrer(SIGNED, signed_once[0], SBOM if number % 3 else SIGNATURE, number)
    return signed_once[0]


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


def referrer_pages(ecr: httpx2.Client, url: str) -> list[list[dict[str, str]]]:
    found = []
    following: str | None = url
    while following:
        answer = ecr.get(following)
        assert answer.status_code == 200
        found.append(answer.json()["manifests"])
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
    assert more.status_code == 405
    assert more.json()["errors"] == [
        {
            "code": "UNSUPPORTED",
            "message": "Invalid parameter at 'maxResults' failed to satisfy constraint: "
            "'Member must have value less than or equal to 1000'",
        },
    ]


@pytest.mark.row("L5")
@pytest.mark.parametrize(("query", "repeated"), [("?n=50", "?n=50&last="), ("", "?last=")])
def test_the_link_is_absolute_and_its_cursor_opaque(
    ecr: httpx2.Client, many_tags: str, world: World, query: str, repeated: str
) -> None:
    url = f"https://{world.ecr_host}/v2/{many_tags}/tags/list"
    link = next_link(ecr.get(f"{url}{query}")) or ""

    assert link.startswith(f"{url}{repeated}")
    cursor = link.removeprefix(f"{url}{repeated}")
    assert {"+", "/", "="} <= set(cursor)
    assert not any(name in cursor for name in NAMES)


@pytest.mark.row("L6")
@pytest.mark.parametrize("query", ["last=v0001", "last=%2B%2F%2B%2Bx", "n=many", "n=0", "n=-1"])
def test_a_query_ecr_does_not_understand_is_refused(ecr: httpx2.Client, many_tags: str, query: str) -> None:
    answer = ecr.get(f"/v2/{many_tags}/tags/list?{query}")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (405, "UNSUPPORTED")


@pytest.mark.row("L8")
@pytest.mark.parametrize(("query", "sizes"), [("", [20, 20, 20]), ("?n=50", [50, 10])])
def test_following_the_links_gives_every_referrer_once(
    ecr: httpx2.Client, signed: Image, query: str, sizes: list[int]
) -> None:
    found = referrer_pages(ecr, f"/v2/{SIGNED}/referrers/{signed.digest}{query}")

    assert [len(page) for page in found] == sizes
    assert len({one["digest"] for page in found for one in page}) == 60


@pytest.mark.row("L8")
def test_fifty_referrers_at_once_are_the_most(ecr: httpx2.Client, signed: Image) -> None:
    assert ecr.get(f"/v2/{SIGNED}/referrers/{signed.digest}?n=51").status_code == 405


@pytest.mark.row("L9")
def test_a_filter_by_artifact_type_is_applied_to_every_page(ecr: httpx2.Client, signed: Image) -> None:
    url = f"/v2/{SIGNED}/referrers/{signed.digest}?artifactType={quote(SBOM, safe='')}"

    assert ecr.get(url).headers["OCI-Filters-Applied"] == "artifactType"
    assert [{one["artifactType"] for one in page} for page in referrer_pages(ecr, url)] == [{SBOM}, {SBOM}]


@pytest.mark.row("L10")
def test_the_link_of_referrers_has_the_cursor_of_the_api(ecr: httpx2.Client, signed: Image, world: World) -> None:
    url = f"https://{world.ecr_host}/v2/{SIGNED}/referrers/{signed.digest}?artifactType=application/spdx%2Bjson"
    link = next_link(ecr.get(url)) or ""

    assert link.startswith(f"{url}&nextToken=")
    assert {"+", "/", "="} <= set(link.removeprefix(f"{url}&nextToken="))


@pytest.mark.row("L11")
def test_a_manifest_without_referrers_has_an_empty_list(
    ecr: httpx2.Client, repository: str, publisher: Publisher
) -> None:
    image = publisher.image(repository, "1", [b"layer"])
    answer = ecr.get(f"/v2/{repository}/referrers/{image.digest}")

    assert (answer.status_code, answer.json()["manifests"]) == (200, [])
    assert answer.headers["Content-Type"] == "application/vnd.oci.image.index.v1+json"


@pytest.mark.row("L12")
def test_the_parameter_with_the_cursor_can_be_another_one(ecr: httpx2.Client, signed: Image, control: Control) -> None:
    with control.behaving(Behaviour(list_cursor="continue-at")):
        url = f"/v2/{SIGNED}/referrers/{signed.digest}"
        assert "?continue-at=" in ecr.get(url).headers["Link"]
        assert [len(page) for page in referrer_pages(ecr, url)] == [20, 20, 20]


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
