"""Rounds of the catalogue that cannot read everything: what stays, what the next run does, and whether it counts."""

from datetime import timedelta

import pytest

from lambda_fn.contract.errors import RegistryError
from lambda_fn.job.catalogue import shards
from lambda_fn.job.catalogue.ports import DeniedError, SlowError, ThrottledError, UnreachableError
from lambda_fn.job.catalogue.round import ROUND_EVERY
from tests.fakes.catalogue_site import ELSEWHERE, Site
from tests.fakes.ecr_catalogue import REGISTRY

DAY = timedelta(days=1)


@pytest.mark.parametrize("error", [DeniedError("denied"), RegistryError("failed"), UnreachableError("no route")])
def test_what_cannot_be_read_stays_as_it_was_and_all_else_is_read(site: Site, error: RegistryError) -> None:
    site.registries = (REGISTRY, ELSEWHERE)
    for registry, name in ((REGISTRY, "team/app"), (ELSEWHERE, "other/app")):
        site.ecr.image(name, "1", registry=registry)
    site.run()
    site.ecr.image("team/app", "2", age=-DAY)
    site.ecr.image("other/app", "2", registry=ELSEWHERE, age=-DAY)
    site.ecr.errors = {"other/app": error}
    report = site.next_round()
    assert [len(site.files.images(name)) for name in ("team/app", "other/app")] == [2, 1]
    assert report.problems == (f"{error} (other/app)",)
    assert report.left == 0


def test_many_problems_of_a_kind_are_one_line(site: Site) -> None:
    for number in range(50):
        site.ecr.image(f"team/app-{number:02d}", "1")
        site.ecr.errors[f"team/app-{number:02d}"] = DeniedError("denied")
    (line,) = site.run().problems
    assert line.startswith("denied (team/app-")
    assert line.endswith(" and 49 more)")


def test_a_registry_without_an_answer_is_asked_once_a_run(site: Site) -> None:
    for number in range(20):
        site.ecr.image(f"team/app-{number}", "1")
        site.ecr.errors[f"team/app-{number}"] = UnreachableError("no route")
    site.run()
    assert site.ecr.asked["images"] == 1


def test_a_throttled_run_ends_and_the_next_one_continues_after_it(site: Site) -> None:
    names = [f"team/app-{number}" for number in range(10)]
    for name in names:
        site.ecr.image(name, "1")
        site.ecr.errors[name] = ThrottledError("too many requests")
    assert site.run().left == 9
    assert site.ecr.asked["images"] == 1
    site.ecr.errors.clear()
    assert site.run().left == 0
    assert len(site.names()) == 9, "the next round reads it"
    assert not site.files.document()["complete"]
    site.run()
    assert (len(site.names()), site.files.document()["complete"]) == (10, True)


@pytest.mark.parametrize("error", [SlowError("too many images"), ThrottledError("too many requests")])
def test_a_round_that_skipped_every_repository_is_not_complete_and_the_alarm_sees_it(
    site: Site, error: RegistryError
) -> None:
    names = [f"team/app-{number}" for number in range(4)]
    for name in names:
        site.ecr.image(name, "1")
        site.ecr.errors[name] = error
    reports = [site.next_run() for _ in range(12)]
    assert [report.left for report in reports[:4]] == [3, 2, 1, 0]
    assert (site.names(), site.files.document()["complete"], reports[-1].ended_at) == ([], False, None)
    assert reports[-1].age(site.clock.now()) == timedelta(minutes=55)
    site.ecr.errors.clear()
    report = site.next_run()
    assert (site.names(), site.files.document()["complete"], report.ended_at) == (names, True, site.clock.now())


def test_a_round_that_skipped_a_repository_leaves_when_one_was_complete(site: Site) -> None:
    site.ecr.image("team/app", "1")
    ended_at = site.run().ended_at
    site.ecr.errors["team/app"] = ThrottledError("too many requests")
    for _ in range(3):
        assert site.next_round().ended_at == ended_at
        assert site.files.document()["complete"]
    assert site.names() == ["team/app"], "what cannot be read stays as it was"


def test_an_event_that_a_run_skipped_has_its_repository_read_by_the_round_of_the_next_one(site: Site) -> None:
    site.ecr.image("team/app", "1")
    ended_at = site.run().ended_at
    site.ecr.image("team/new", "1")
    site.ecr.errors["team/new"] = ThrottledError("too many requests")
    site.update("team/new")
    assert site.next_run().ended_at == ended_at
    site.ecr.errors.clear()
    site.next_run()
    assert site.names() == ["team/app", "team/new"]


def test_a_repository_that_is_too_large_for_the_rest_of_a_run_begins_the_next_one_and_holds_up_no_other(
    site: Site,
) -> None:
    names = sorted((f"team/app-{number}" for number in range(10)), key=shards.shard_of)
    for name in names:
        site.ecr.image(name, "1")
    site.ecr.errors[names[5]] = SlowError("too many images")
    assert (site.run().problems, len(site.names())) == ((), 5)
    report = site.run()
    assert (report.problems, report.left) == ((f"too many images ({names[5]})",), 4)
    assert site.run().left == 0
    assert len(site.names()) == 9


@pytest.mark.parametrize("error", [SlowError("too many images"), ThrottledError("too many requests")])
def test_an_event_of_a_repository_that_a_run_cannot_read_in_time_waits_for_the_next_one(
    site: Site, error: RegistryError
) -> None:
    site.ecr.image("team/app", "1")
    site.ecr.errors["team/app"] = error
    site.update("team/app")
    assert site.files.index.pending == ("team/app",)


@pytest.mark.parametrize("where", ["", "other/app"], ids=["the list", "a repository"])
def test_a_round_that_cannot_reach_a_registry_is_not_complete_and_its_age_grows(site: Site, where: str) -> None:
    site.registries = (REGISTRY, ELSEWHERE)
    site.ecr.image("team/app", "1")
    site.ecr.image("other/app", "1", registry=ELSEWHERE)
    site.ecr.errors[where] = UnreachableError("no route")
    site.run()
    assert not site.files.document()["complete"]
    site.ecr.errors.clear()
    site.next_round()
    assert site.files.document()["complete"]
    site.ecr.errors[where] = UnreachableError("no route")
    site.next_round()
    assert site.next_round().age(site.clock.now()) == 2 * ROUND_EVERY
    site.ecr.errors.clear()
    assert site.next_round().age(site.clock.now()) == timedelta()


@pytest.mark.parametrize("error", [DeniedError("denied"), UnreachableError("no route"), ThrottledError("too many")])
def test_after_a_list_that_failed_the_next_run_lists_again(site: Site, error: RegistryError) -> None:
    site.ecr.image("team/app", "1")
    site.ecr.errors[""] = error
    for _ in range(3):
        site.next_run()
    assert (site.names(), site.files.document()["complete"]) == ([], False)
    site.ecr.errors.clear()
    site.next_run()
    assert (site.names(), site.files.document()["complete"]) == (["team/app"], True)
    asked = site.ecr.asked.copy()
    site.next_run()
    assert site.ecr.asked == asked, "a complete round is not due again"


def test_a_registry_that_no_round_could_list_has_an_age_although_others_are_read(site: Site) -> None:
    """CloudWatch takes the least age of an hour: no run may call such a catalogue young."""
    site.registries = (REGISTRY, ELSEWHERE.model_copy(update={"repositories": ("exact/app",)}))
    site.ecr.image("team/app", "1")
    site.ecr.errors["exact/app"] = UnreachableError("no route")
    ages = [site.next_run().age(site.clock.now()) for _ in range(6)]
    assert ages == [timedelta(minutes=5 * number) for number in range(6)]
    assert site.names() == ["team/app"]


@pytest.mark.parametrize(
    ("error", "complete"), [(DeniedError("denied"), True), (RegistryError("ServerException"), False)]
)
def test_a_repository_that_its_owner_denies_is_no_gap_and_one_that_fails_is(
    site: Site, error: RegistryError, *, complete: bool
) -> None:
    for name in ("team/app", "team/other"):
        site.ecr.image(name, "1")
    site.ecr.errors["team/other"] = error
    for _ in range(2):
        site.next_run()
    assert (site.names(), site.files.document()["complete"]) == (["team/app"], complete)


@pytest.mark.parametrize("denied", ["team/app", "team/other"])
def test_a_denied_repository_is_no_gap_wherever_it_comes_in_the_first_round(site: Site, denied: str) -> None:
    for name in ("team/app", "team/other"):
        site.ecr.image(name, "1")
    site.ecr.errors[denied] = DeniedError("denied")
    assert site.run().ended_at is not None


def test_a_round_to_which_every_repository_is_denied_is_not_complete(site: Site) -> None:
    for name in ("team/app", "team/other"):
        site.ecr.image(name, "1")
        site.ecr.errors[name] = DeniedError("denied")
    for _ in range(2):
        site.next_run()
    assert (site.names(), site.files.document()["complete"]) == ([], False)
