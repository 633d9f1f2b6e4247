"""Files of the catalogue that another writer has edited or damaged."""

import gzip
import json

import pytest

from lambda_fn.job.catalogue import shards
from tests.fakes.catalogue_site import Site
from tests.fakes.ecr_catalogue import SOURCE


@pytest.mark.parametrize("file", [shards.INDEX_FILE, shards.file_of(shards.shard_of("team/app"))])
@pytest.mark.parametrize(
    "content",
    [b"x", shards.pack({"schema": 2}), shards.pack({"schema": 1, "repositories": [1], "round": [], "shards": []})],
    ids=["not gzip", "another schema", "wrong types"],
)
def test_a_file_that_is_not_readable_counts_as_empty_and_is_written_anew(site: Site, file: str, content: bytes) -> None:
    site.ecr.image("team/app", "1")
    site.run()
    site.files.put(file, content)
    report = site.next_round()
    assert any("is not readable and is written anew" in problem for problem in report.problems)
    assert (site.names(), len(site.files.images("team/app"))) == (["team/app"], 1)


@pytest.mark.parametrize(
    "wrong",
    [
        7,
        {},
        {"digest": 7, "tags": []},
        {"digest": "x", "tags": 7},
        {"digest": "x", "tags": [7]},
        {"digest": "x", "tags": [], "platforms": 7},
        {"digest": "x", "tags": [], "platforms": [7]},
        {"digest": "x", "tags": [], "platforms": [{"digest": []}]},
    ],
)
def test_an_entry_that_was_edited_by_hand_does_not_stop_the_rounds(
    site: Site, monkeypatch: pytest.MonkeyPatch, wrong: object
) -> None:
    monkeypatch.setattr(shards, "shard_of", lambda _: 7)
    for name in ("team/app", "team/other"):
        site.ecr.image(name, "1")
    site.run()
    edited = shards.unpack(site.files.contents[shards.file_of(7)])
    edited["repositories"]["team/other"]["images"].append(wrong)
    site.files.put(shards.file_of(7), shards.pack(edited))
    site.ecr.image("team/app", "2")
    site.update("team/app")
    assert [len(site.files.images(name)) for name in ("team/app", "team/other")] == [2, 1]


def test_a_label_that_was_edited_by_hand_and_is_not_unicode_does_not_stop_the_rounds(site: Site) -> None:
    site.ecr.image("team/app", "1", labels={SOURCE: "here"})
    site.run()
    file = shards.file_of(shards.shard_of("team/app"))
    text = json.dumps(shards.unpack(site.files.contents[file])).replace('"here"', r'"\ud800"')
    site.files.put(file, gzip.compress(text.encode()))
    site.next_round()
    assert site.image()["labels"] == {SOURCE: "?"}


def test_a_cursor_that_was_edited_by_hand_starts_the_rounds_anew(site: Site) -> None:
    site.ecr.image("team/app", "1")
    site.run()
    edited = site.files.document()
    edited["round"]["after"] = 7
    site.files.put(shards.INDEX_FILE, shards.pack(edited))
    report = site.run()
    assert report.problems == ("the catalogue's index is not readable and is written anew: round.after is not a text",)
    assert report.repositories == 1


def test_a_shard_keeps_no_repository_that_the_index_does_not_have(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "shard_of", lambda _: 7)
    for name in ("team/app", "team/old"):
        site.ecr.image(name, "1")
    site.run()
    site.ecr.delete("team/old")
    del site.files.contents[shards.INDEX_FILE]
    site.run()
    assert set(shards.decode(site.files.contents[shards.file_of(7)])) == {"team/app"}
