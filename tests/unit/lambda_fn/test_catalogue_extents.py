"""What a shard of the catalogue leaves out where it does not fit, and gets back."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from lambda_fn.job.catalogue import shards
from tests.fakes.catalogue_site import Site
from tests.fakes.ecr_catalogue import SOURCE


def large(monkeypatch: pytest.MonkeyPatch, largest_bytes: int) -> None:
    monkeypatch.setattr(shards, "LARGEST_BYTES", largest_bytes)
    monkeypatch.setattr(shards, "shard_of", lambda _: 7)


def tags_and_labels(images: Iterable[dict[str, Any]]) -> tuple[int, int, int]:
    found = [*images]
    digests = sum("digest" in platform for image in found for platform in image.get("platforms", []))
    return sum(len(image["tags"]) for image in found), sum("labels" in image for image in found), digests


def push_20(site: Site) -> None:
    for number in range(20):
        labels = {SOURCE: f"https://git.example.com/{number * 7919}"}
        site.ecr.image("team/app", f"1.{number}", age=timedelta(hours=number), labels=labels)


@pytest.mark.parametrize(
    ("largest_bytes", "kept"),
    [
        (4_000, (20, 20, 20)),
        (1_440, (20, 10, 20)),
        (1_390, (20, 3, 20)),
        (1_330, (20, 0, 20)),
        (1_240, (20, 0, 0)),
        (800, (10, 0, 0)),
        (100, (0, 0, 0)),
    ],
)
def test_what_does_not_fit_loses_its_labels_first_then_its_older_tags(
    site: Site, monkeypatch: pytest.MonkeyPatch, largest_bytes: int, kept: tuple[int, int, int]
) -> None:
    large(monkeypatch, largest_bytes)
    push_20(site)
    report = site.run()
    assert tags_and_labels(site.files.images("team/app")) == kept
    assert len(site.files.contents[shards.file_of(7)]) <= largest_bytes
    assert bool(report.reduced) == (kept != (20, 20, 20))
    stated = site.files.document()["shards"][7]
    assert (stated["tags"], stated["labels"]) == kept[:2]


def test_a_reduced_shard_is_not_read_again_for_what_it_cannot_hold(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    large(monkeypatch, 1_240)
    push_20(site)
    site.run()
    for _ in range(3):
        site.next_round()
    assert len(site.ecr.read) == 20


PLATFORMS = ("linux/amd64", "linux/arm64", "linux/arm/v7", "linux/s390x")


def push_for_four_platforms(site: Site) -> None:
    """20 images, whose entries are more than 2.5 times as large with the digests of their platforms."""
    for number in range(20):
        images = {each: site.ecr.image("team/app", platform=each, size_bytes=number) for each in PLATFORMS}
        site.ecr.index("team/app", f"1.{number}", platforms=images)


def test_what_a_shard_cannot_hold_is_not_read_again_however_small_it_is_without(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    large(monkeypatch, 3_600)
    push_for_four_platforms(site)
    site.run()
    read = len(site.ecr.read)
    for _ in range(3):
        site.next_round()
    assert tags_and_labels(site.files.images("team/app")) == (20, 0, 0)
    assert len(site.files.contents[shards.file_of(7)]) < 0.4 * 3_600
    assert len(site.ecr.read) == read


def test_an_attempt_that_fails_is_not_repeated(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after an upgrade, when nothing is known of the extent before."""
    large(monkeypatch, 3_600)
    push_for_four_platforms(site)
    site.run()
    stated = site.files.document()
    for part in stated["shards"]:
        del part["growth"]
    site.files.put(shards.INDEX_FILE, shards.pack(stated))
    before = len(site.ecr.read)
    site.next_round()
    read = len(site.ecr.read)
    assert read > before
    for _ in range(3):
        site.next_round()
    assert len(site.ecr.read) == read


def test_a_shard_gets_back_what_it_lost_when_it_has_shrunk_far_enough(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    large(monkeypatch, 3_600)
    push_for_four_platforms(site)
    site.run()
    for image in site.files.images("team/app")[:10]:
        site.ecr.delete_image("team/app", image["digest"])
    for _ in range(3):
        site.next_round()
    assert tags_and_labels(site.files.images("team/app"))[2] == 40


def test_a_shard_with_room_again_gets_back_what_it_lost(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    large(monkeypatch, 1_240)
    push_20(site)
    site.run()
    large(monkeypatch, 20_000)
    for _ in range(len(shards.EXTENTS)):
        report = site.next_round()
    assert tags_and_labels(site.files.images("team/app")) == (20, 20, 20)
    assert report.reduced == ()
