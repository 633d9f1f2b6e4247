"""Events of ECR: their repositories are read at once, also beside another writer of the catalogue."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from lambda_fn.contract.errors import ClusterError
from lambda_fn.job.catalogue import shards
from lambda_fn.job.catalogue.round import WORK_SECONDS, Report, Run
from lambda_fn.settings.routing import Routing
from tests.fakes.catalogue_site import Site

DAY = timedelta(days=1)


def test_an_event_has_its_repository_read_at_once_and_nothing_else(site: Site) -> None:
    site.ecr.image("team/app", "1")
    site.ecr.image("team/other", "1")
    site.run()
    asked = site.ecr.asked["images"]
    site.ecr.image("team/app", "2", age=-DAY)
    report = site.update("team/app", "team/app")
    assert (report.repositories, site.ecr.asked["images"] - asked) == (1, 1)
    assert [image["tags"] for image in site.files.images("team/app")] == [["2"], ["1"]]


def test_an_event_of_a_deleted_repository_removes_it(site: Site) -> None:
    site.ecr.image("team/app", "1")
    site.run()
    site.ecr.delete("team/app")
    site.update("team/app", "team/never-known")
    assert site.names() == []


def test_events_without_time_are_read_first_by_the_next_run(site: Site) -> None:
    site.run()
    site.ecr.seconds = WORK_SECONDS / 2
    names = [f"team/app-{number}" for number in range(5)]
    for name in names:
        site.ecr.image(name, "1")
    assert site.update(*names).left == 4
    while site.run().left:
        pass
    assert site.names() == names
    assert site.files.index.pending == ()


def another_event(site: Site, on: Callable[[str], bool]) -> None:
    """While a file is written, another repository of the same shard is made, and its event arrives."""

    def meanwhile(file: str) -> None:
        if on(file):
            site.files.meanwhile = lambda _: None
            site.ecr.image("team/b", "1")
            Run(Routing(site.registries), site.ecr, site.files, site.clock, findings=False).update(["team/b"])

    site.files.meanwhile = meanwhile


@pytest.mark.parametrize("run", [Site.run, lambda site: site.update("team/a")], ids=["round", "event"])
@pytest.mark.parametrize("on", [lambda file: file != shards.INDEX_FILE, lambda file: file == shards.INDEX_FILE])
def test_two_writers_lose_nothing_of_each_other(
    site: Site, monkeypatch: pytest.MonkeyPatch, on: Callable[[str], bool], run: Callable[[Site], Report]
) -> None:
    monkeypatch.setattr(shards, "shard_of", lambda _: 7)
    site.ecr.image("team/a", "1")
    another_event(site, on)
    run(site)
    assert site.names() == ["team/a", "team/b"]
    assert [len(site.files.images(name)) for name in site.names()] == [1, 1]


def test_a_writer_that_never_stops_is_an_error_that_names_the_file(site: Site) -> None:
    site.ecr.image("team/app", "1")
    site.files.meanwhile = lambda file: site.files.put(file, b"")
    with pytest.raises(ClusterError, match=r"\.json\.gz of the catalogue was written by another writer"):
        site.run()
