"""What a round of the catalogue reads, over several runs and after other settings."""

from datetime import timedelta

import pytest

from lambda_fn.job.catalogue import shards
from lambda_fn.job.catalogue.ports import DeniedError, UnreachableError
from lambda_fn.job.catalogue.round import ROUND_EVERY, WORK_SECONDS
from lambda_fn.settings.registry import Registry
from tests.fakes.catalogue_site import ELSEWHERE, Site
from tests.fakes.clock import FakeClock
from tests.fakes.ecr_catalogue import REGISTRY, SOURCE


def test_a_deleted_repository_goes_with_the_next_round(site: Site) -> None:
    site.ecr.image("team/app", "1")
    site.ecr.image("team/old", "1")
    site.run()
    site.ecr.delete("team/old")
    report = site.next_round()
    assert (site.names(), report.removed) == (["team/app"], 1)
    with pytest.raises(KeyError):
        site.files.images("team/old")


def test_a_repository_that_is_newly_allowed_is_read_by_the_next_run(site: Site) -> None:
    site.ecr.image("team/app", "1")
    site.ecr.image("other/app", "1")
    ended_at = site.run().ended_at
    site.registries = (REGISTRY.model_copy(update={"repositories": ("team/*", "other/*")}),)
    report = site.next_run()
    assert site.names() == ["other/app", "team/app"]
    assert report.ended_at == site.clock.now() != ended_at
    asked = site.ecr.asked.copy()
    site.next_run()
    assert site.ecr.asked == asked


def test_routes_that_change_within_a_round_start_it_anew_and_completeness_stays(site: Site) -> None:
    site.ecr.image("team/app-0", "1")
    ended_at = site.run().ended_at
    site.ecr.seconds = WORK_SECONDS / 6
    for number in range(9):
        site.ecr.image(f"team/app-{number}", "1")
        site.ecr.image(f"other/app-{number}", "1")
    assert site.next_round().left
    site.registries = (REGISTRY.model_copy(update={"repositories": ("team/*", "other/*")}),)
    report = site.next_run()
    assert (report.ended_at, site.files.document()["complete"]) == (ended_at, True)
    while site.next_run().left:
        pass
    assert len(site.names()) == 18


def test_a_first_round_that_other_settings_start_anew_has_no_age(site: Site) -> None:
    site.ecr.seconds = WORK_SECONDS / 3
    for number in range(8):
        site.ecr.image(f"team/app-{number}", "1")
    site.run()
    site.registries = (REGISTRY.model_copy(update={"repositories": ("team/*", "other/*")}),)
    assert site.next_run().age(site.clock.now()) == timedelta()


def test_an_index_of_an_earlier_version_has_its_repositories_and_a_new_round(site: Site) -> None:
    site.ecr.image("team/app", "1")
    site.run()
    stated = site.files.document()
    del stated["round"]["routes"]
    site.files.put(shards.INDEX_FILE, shards.pack(stated))
    site.ecr.image("team/new", "1")
    assert site.next_run().problems == ()
    assert site.names() == ["team/app", "team/new"]
    assert len(site.ecr.read) == 2, "what is known is not read again"


def test_the_first_round_has_no_age_while_it_advances_and_one_from_its_start_where_nothing_can_be_read(
    site: Site,
) -> None:
    site.ecr.image("team/app", "1")
    site.ecr.image("team/web", "1")
    site.ecr.seconds = 15
    assert site.run().age(site.clock.now()) == timedelta()
    assert not site.files.document()["complete"]
    other = Site()
    other.ecr.errors[""] = UnreachableError("no route")
    other.run()
    for _ in range(5):
        other.next_round()
    assert other.next_round().age(other.clock.now()) == 6 * ROUND_EVERY


def test_repositories_that_may_not_be_listed_are_read_where_the_settings_or_the_catalogue_name_them() -> None:
    site = Site(Registry(account="123456789012", region="ap-southeast-2", repositories=("team/*", "exact/app")))
    for name in ("team/known", "exact/app"):
        site.ecr.image(name, "1", registry=site.registries[0])
    site.run()
    site.ecr.image("team/new", "1", registry=site.registries[0])
    site.ecr.errors[""] = DeniedError("denied")
    report = site.next_round()
    assert report.problems == ("denied",)
    assert (report.repositories, site.names()) == (2, ["exact/app", "team/known"])


def test_repositories_are_not_listed_where_the_settings_name_each() -> None:
    site = Site(Registry(account="123456789012", region="ap-southeast-2", repositories=("exact/app", "exact/missing")))
    site.ecr.image("exact/app", "1", registry=site.registries[0])
    site.run()
    assert site.names() == ["exact/app"]
    assert site.ecr.asked["repositories"] == 0


def test_a_name_in_two_registries_is_that_of_the_first_one_that_allows_it(site: Site) -> None:
    site.registries = (REGISTRY, ELSEWHERE)
    first = site.ecr.image("team/app", "1", labels={SOURCE: "https://first"})
    site.ecr.image("team/app", "1", registry=ELSEWHERE)
    site.ecr.image("team/only-elsewhere", "1", registry=ELSEWHERE)
    site.run()
    assert site.names() == ["team/app"], "clients do not get the other one"
    assert site.image()["digest"] == first


def test_a_repository_that_left_the_allow_list_goes_at_the_next_run(site: Site) -> None:
    site.ecr.image("team/app", "1")
    site.run()
    site.registries = (Registry(account="123456789012", region="ap-southeast-2", repositories=("team/x",)),)
    site.run()
    assert site.names() == []


def test_a_round_takes_several_runs_and_reads_every_repository_once(site: Site) -> None:
    site.ecr.seconds = 1.0
    for number in range(100):
        site.ecr.image(f"team/app-{number}", "1")
    reports = [site.run()]
    while reports[-1].left:
        started_at = site.clock.now()
        reports.append(site.run())
        assert (site.clock.now() - started_at).total_seconds() < 60
    assert len(reports) > 3
    assert sum(report.repositories for report in reports) == 100
    assert len(site.names()) == 100
    assert [report.ended_at is None for report in reports] == [True] * (len(reports) - 1) + [False]


def test_the_catalogue_is_complete_only_after_its_first_round(site: Site) -> None:
    site.ecr.seconds = WORK_SECONDS / 3
    for number in range(8):
        site.ecr.image(f"team/app-{number}", "1")
    site.run()
    assert not site.files.document()["complete"]
    while site.run().left:
        pass
    assert site.files.document()["complete"]
    site.next_round()
    assert site.files.document()["complete"]


def test_between_rounds_a_run_asks_and_writes_nothing(site: Site) -> None:
    site.ecr.image("team/app", "1")
    site.run()
    asked, writes = site.ecr.asked.copy(), [*site.files.writes]
    site.clock.sleep(300)
    site.run()
    assert (site.ecr.asked, site.files.writes) == (asked, writes)


def test_a_run_without_time_reads_nothing_and_changes_no_repository(site: Site) -> None:
    site.ecr.image("team/app", "1")
    site.clock = FakeClock(remaining_seconds=10)
    assert site.run().left == 1
    assert site.names() == []
