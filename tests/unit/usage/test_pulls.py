"""One pull is one client's chain; two pulls of one client stay two; a HEAD alone is a check."""

import random

import pytest

from cli.usage.tally import RepositoryUse, Tally
from tests.unit.usage.lines import INDEX, Front, digest


def used(front: Front, repository: str = "team/app") -> RepositoryUse:
    tally = Tally()
    tally.add_all(front.records)
    assert not tally.skipped
    return tally.repositories[repository]


def pulls(front: Front) -> dict[str, tuple[int, int]]:
    """Tag, or the first letter of a digest -> pulls and checks."""
    found = used(front)
    by_tag = {tag: (use.pulls, use.checks) for tag, use in found.tags.items()}
    by_digest = {name[7]: (use.pulls, use.checks) for name, use in found.digests.items()}
    assert found.pulls == sum(counted for counted, _ in (*by_tag.values(), *by_digest.values()))
    return by_tag | by_digest


def chain(front: Front, tag: str = "1.4", *, index: str = "a", children: str = "b", blobs: str = "cd") -> Front:
    """As containerd pulls."""
    front.tag("HEAD", tag, index, INDEX).manifest("GET", index, INDEX)
    for child in children:
        front.manifest("GET", child)
    for blob in blobs:
        front.blob(blob)
    return front


def test_a_chain_from_a_tag_is_one_pull_that_keeps_its_tag() -> None:
    assert pulls(chain(Front())) == {"1.4": (1, 0)}


def test_a_pull_by_tag_without_a_head_is_one_pull() -> None:
    assert pulls(Front().ping().tag("GET", "1.4", "a", INDEX).manifest("GET", "b").blob("c")) == {"1.4": (1, 0)}


def test_a_pull_by_digest_is_one_pull_without_a_tag() -> None:
    assert pulls(Front().manifest("HEAD", "a", INDEX).manifest("GET", "a", INDEX).manifest("GET", "b")) == {"a": (1, 0)}


def test_a_head_alone_is_a_check_that_marks_its_tag_as_in_use() -> None:
    found = used(Front().tag("HEAD", "1.3", "a"))
    assert (found.pulls, found.checks, found.clients.number) == (0, 1, 1)
    assert found.tags["1.3"].last[1] == "10.1.0.7"


def test_a_client_that_has_the_manifest_already_checks() -> None:
    assert pulls(Front().tag("GET", "1.4", "a", status=304)) == {"1.4": (0, 1)}


def test_a_head_belongs_to_a_get_of_the_same_tag_also_when_that_is_by_tag() -> None:
    assert pulls(Front().tag("HEAD", "1.4", "a").tag("GET", "1.4", "a").manifest("GET", "a")) == {
        "1.4": (1, 0),
        "a": (1, 0),
    }


@pytest.mark.parametrize("pause", [0, 1, 30, 3600])
def test_two_pulls_of_one_tag_by_one_client_stay_two(pause: float) -> None:
    assert pulls(chain(chain(Front()).wait(pause))) == {"1.4": (2, 0)}


@pytest.mark.parametrize("pause", [0, 1, 30, 3600])
def test_a_pull_by_tag_and_one_by_its_digest_stay_two(pause: float) -> None:
    front = chain(Front()).wait(pause).manifest("HEAD", "a", INDEX).manifest("GET", "a", INDEX).manifest("GET", "b")
    assert pulls(front) == {"1.4": (1, 0), "a": (1, 0)}


def test_two_tags_of_one_digest_that_are_pulled_at_once_keep_their_tags() -> None:
    front = Front().tag("HEAD", "1.4", "a").tag("HEAD", "latest", "a").manifest("GET", "a").manifest("GET", "a")
    assert pulls(front) == {"1.4": (1, 0), "latest": (1, 0)}


def test_two_images_of_one_repository_that_are_pulled_at_once_are_two_pulls() -> None:
    front = Front().tag("HEAD", "1", "a", INDEX).tag("HEAD", "2", "e", INDEX)
    front.manifest("GET", "a", INDEX).manifest("GET", "e", INDEX).manifest("GET", "b").manifest("GET", "f")
    assert pulls(front) == {"1": (1, 0), "2": (1, 0)}


def test_a_client_that_copies_every_platform_makes_one_pull_however_long_a_layer_takes() -> None:
    front = Front().ping().tag("GET", "1", "a", INDEX).manifest("GET", "b").wait(900).blob("c", seconds=899.9)
    assert pulls(front.manifest("GET", "d").blob("e")) == {"1": (1, 0)}


def test_another_image_by_digest_after_an_index_is_another_pull() -> None:
    """docker and podman begin each pull with a ping, containerd and BuildKit with a HEAD."""
    by_ping = Front().ping().tag("GET", "1", "a", INDEX).manifest("GET", "b").ping().manifest("GET", "e")
    assert pulls(by_ping) == {"1": (1, 0), "e": (1, 0)}
    by_head = chain(Front(), "1").manifest("HEAD", "e").manifest("GET", "e")
    assert pulls(by_head) == {"1": (1, 0), "e": (1, 0)}
    later = Front().tag("GET", "1", "a", INDEX).manifest("GET", "b").wait(11).manifest("GET", "e")
    assert pulls(later) == {"1": (1, 0), "e": (1, 0)}


def test_the_platform_of_an_index_that_is_pulled_again_is_no_pull_of_its_own() -> None:
    front = Front().manifest("GET", "a", INDEX).manifest("GET", "b").manifest("GET", "a", INDEX).manifest("GET", "b")
    assert pulls(front) == {"a": (2, 0)}


def test_a_head_of_another_client_or_program_or_of_long_ago_gives_no_tag() -> None:
    front = (
        Front()
        .tag("HEAD", "1.4", "a", client="10.1.0.8")
        .tag("HEAD", "1.4", "a", user_agent="crane")
        .manifest("GET", "a")
    )
    assert pulls(front) == {"1.4": (0, 2), "a": (1, 0)}
    assert pulls(Front().tag("HEAD", "1.4", "a").wait(61).manifest("GET", "a")) == {"1.4": (0, 1), "a": (1, 0)}


def test_clients_behind_one_address_keep_their_tags() -> None:
    front = Front()
    for _ in range(3):
        front.tag("HEAD", "1.4", "a", INDEX)
    for letter, kind in (("a", INDEX), ("a", INDEX), ("a", INDEX), ("b", ""), ("b", ""), ("b", "")):
        front.manifest("GET", letter, kind or "application/vnd.oci.image.manifest.v1+json")
    assert pulls(front) == {"1.4": (3, 0)}


@pytest.mark.parametrize("status", [404, 429, 499, 503, 206])
def test_a_request_that_got_no_manifest_is_no_pull(status: int) -> None:
    front = Front().tag("GET", "1.4", "a", status=status).tag("HEAD", "1.5", "b")
    expected = {"1.5": (0, 1)} | ({"1.4": (1, 0)} if status == 206 else {})
    assert pulls(front) == expected


def test_a_manifest_that_ecr_converts_is_a_pull_of_its_tag() -> None:
    assert pulls(Front().tag("GET", "1.4", "a", digest="")) == {"1.4": (1, 0)}


def test_lists_and_referrers_are_no_pulls() -> None:
    front = Front().tag("HEAD", "1.4", "a")
    front.ask("GET", "/v2/team/app/tags/list", repository="team/app")
    front.ask("GET", f"/v2/team/app/referrers/{digest('a')}", repository="team/app")
    assert pulls(front) == {"1.4": (0, 1)}


def test_lines_of_several_pods_may_be_out_of_order_and_their_clocks_differ() -> None:
    front = Front(step=0.05)
    for number in range(300):
        client = f"10.1.0.{number % 50}"
        front.tag("HEAD", "1.4", "a", INDEX, client=client).manifest("GET", "a", INDEX, client=client)
        front.manifest("GET", "b", client=client)
    # The HEAD was served by a pod whose clock is 4 ms ahead, and its lines come late.
    for record in front.records:
        record["ended_at"] += 0.052 if record["method"] == "HEAD" else 0
    random.Random(7).shuffle(front.records)  # noqa: S311 - no secret
    assert pulls(front) == {"1.4": (300, 0)}


def test_a_path_with_percent_signs_is_a_manifest_too() -> None:
    path = f"/v2/team%2Fapp/manifests/sha256%3A{'a' * 64}"
    assert pulls(Front().manifest("GET", "a", path=path)) == {"a": (1, 0)}


def test_a_client_that_looks_for_updates_of_thousands_of_tags_is_followed_in_little_time() -> None:
    front = Front(step=0.001)
    for number in range(20_000):
        front.tag("HEAD", f"1.{number}", "a")
    for _ in range(1000):
        front.manifest("GET", "a")
    found = used(front)
    assert (found.pulls, found.checks) == (1000, 19_000)
