from datetime import datetime, timedelta

import pytest

from lambda_fn.contract.ecr_events import Action
from lambda_fn.contract.errors import ClusterError, EventError
from lambda_fn.contract.hints import Hints, Image
from lambda_fn.job import gone_images
from lambda_fn.job.gone_images import ATTEMPTS, Outcome
from lambda_fn.job.image_event import ImageEvent
from tests.fakes.clock import STARTED_AT, FakeClock
from tests.fakes.hints import FakeImages, FakeStore, image

APP, BASE, OTHER = image(1), image(2, "team/base"), image(3, "team/other")


def seconds(at: datetime) -> int:
    return int(at.timestamp())


def deleted(of: Image, *, ago: float = 30) -> ImageEvent:
    return ImageEvent(Action.DELETE, of, (of.repository,), STARTED_AT - timedelta(seconds=ago))


def returned(of: Image, *, ago: float = 30, by: Action = Action.PUSH) -> ImageEvent:
    return ImageEvent(by, of, (of.repository,), STARTED_AT - timedelta(seconds=ago))


def gone(*of: Image, ago: float = 60) -> Hints:
    return Hints(dict.fromkeys(of, seconds(STARTED_AT - timedelta(seconds=ago))), {})


def reconcile(store: FakeStore, images: FakeImages, *events: ImageEvent, clock: FakeClock | None = None) -> Outcome:
    return gone_images.reconcile(events, images=images, store=store, clock=clock or FakeClock())


def test_a_deleted_image_is_refused_from_the_second_of_its_deletion() -> None:
    store = FakeStore()
    outcome = reconcile(store, FakeImages(), deleted(APP, ago=30))
    assert outcome == Outcome(refused=(APP,))
    assert store.hints == Hints({APP: seconds(STARTED_AT) - 30}, {})


def test_an_image_whose_tag_was_removed_and_which_has_another_is_not_refused() -> None:
    store = FakeStore()
    assert reconcile(store, FakeImages(APP), deleted(APP)) == Outcome()
    assert store.data is None


RETURNS = [Action.PUSH, Action.REPLICATE, Action.IMPORT]


@pytest.mark.parametrize("by", RETURNS)
def test_an_image_that_is_in_ecr_again_is_no_longer_refused(by: Action) -> None:
    store = FakeStore(gone(APP, BASE))
    assert reconcile(store, FakeImages(APP), returned(APP, by=by)) == Outcome(served=(APP,))
    assert store.hints == gone(BASE)


@pytest.mark.parametrize("by", RETURNS)
def test_an_image_that_comes_asks_and_writes_nothing_where_none_is_refused(by: Action) -> None:
    store, images = FakeStore(gone(BASE)), FakeImages(APP)
    assert reconcile(store, images, returned(APP, by=by)) == Outcome()
    assert (images.asked, store.writes) == ([], 0)


def test_the_manifests_of_platforms_that_come_with_an_imported_index_are_no_longer_refused() -> None:
    index, amd64, arm64, former = image(4), image(5), image(6), image(7)
    store, images = FakeStore(gone(index, amd64, arm64, former, BASE)), FakeImages(index, amd64, arm64)
    outcome = reconcile(store, images, returned(index, by=Action.IMPORT))
    assert outcome == Outcome(served=(index, amd64, arm64))
    assert store.hints == gone(former, BASE)
    assert set(images.asked) == {index, amd64, arm64, former}, "no other repository is looked at"


def test_after_an_import_the_latest_deletions_are_looked_at_and_no_more_than_500() -> None:
    at = seconds(STARTED_AT)
    store, images = FakeStore(Hints({image(number): at - number for number in range(600)}, {})), FakeImages()
    reconcile(store, images, returned(image(599), by=Action.IMPORT))
    assert images.asked[0] == image(599)
    assert set(images.asked[1:]) == {image(number) for number in range(500)}


def test_hints_of_a_former_watcher_are_written_anew_although_nothing_else_changes() -> None:
    store = FakeStore(gone())
    store.is_outdated = True
    assert reconcile(store, FakeImages(APP), returned(APP)) == Outcome()
    assert (store.writes, store.is_outdated) == (1, False)


def test_imports_into_two_repositories_are_each_looked_at_in_full() -> None:
    at = seconds(STARTED_AT)
    refused = [image(number, repository) for number in range(400) for repository in ("team/app", "team/base")]
    store = FakeStore(Hints({each: at - number for number, each in enumerate(refused)}, {}))
    reconcile(store, FakeImages(*refused), *(returned(each, by=Action.IMPORT) for each in refused[-2:]))
    assert store.hints == Hints({}, {})


def test_where_the_time_ends_no_repository_is_begun_before_another_is_done() -> None:
    at = seconds(STARTED_AT)
    refused = [image(number, repository) for number in range(10) for repository in ("team/app", "team/base")]
    store = FakeStore(Hints({each: at - number for number, each in enumerate(refused)}, {}))
    sent = [returned(image(99), by=Action.IMPORT), returned(image(99, "team/base"), by=Action.IMPORT)]
    images, clock = FakeImages(), FakeClock(remaining_seconds=35)
    images.meanwhile = lambda: clock.sleep(1)
    assert reconcile(store, images, *sent, clock=clock).again == (sent[1],)


def test_an_import_comes_again_when_ecr_did_not_say_whether_the_platforms_came_with_it() -> None:
    index, amd64 = image(4), image(5)
    store, images, clock = FakeStore(gone(index, amd64)), FakeImages(index, amd64), FakeClock(remaining_seconds=21)
    images.meanwhile = lambda: clock.sleep(2)
    sent = [returned(index, by=Action.IMPORT), returned(image(6), by=Action.PUSH), returned(BASE, by=Action.IMPORT)]
    outcome = reconcile(store, images, *sent, clock=clock)
    assert (outcome.served, set(outcome.unknown), outcome.again) == ((index,), {amd64}, (sent[0],))


def test_of_doubtful_images_those_that_ecr_lacks_are_refused_from_now_on_and_those_that_it_has_are_not() -> None:
    back, still, named = image(7), image(8), image(9)
    hints = Hints(gone(back, still).deleted, {named: seconds(STARTED_AT)})
    store, images = FakeStore(hints), FakeImages(BASE, back)
    images.refused = {"team/other"}
    outcome = gone_images.reconcile(
        [], doubtful=[APP, BASE, OTHER, back, still, named], images=images, store=store, clock=FakeClock()
    )
    assert (outcome.refused, outcome.served, set(outcome.unknown)) == ((APP,), (back,), {OTHER})
    assert images.asked == [APP, BASE, OTHER, back, still]
    assert store.hints == Hints({**gone(still).deleted, APP: seconds(STARTED_AT)}, hints.named)


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("exists", [True, False])
def test_in_whatever_order_a_deletion_and_a_push_come_what_ecr_has_now_counts(*, order: int, exists: bool) -> None:
    events = [deleted(APP, ago=20), returned(APP, ago=20)][::order]
    images = FakeImages(*([APP] if exists else []))
    together, apart = FakeStore(), FakeStore()
    reconcile(together, images, *events)
    for one in events:
        reconcile(apart, images, one)
    assert set(together.hints.gone) == set(apart.hints.gone) == (set() if exists else {APP})


def test_a_push_that_comes_after_the_deletion_that_followed_it_lifts_nothing() -> None:
    store = FakeStore(gone(APP, ago=10))
    assert reconcile(store, FakeImages(), returned(APP, ago=60)) == Outcome()
    assert store.hints == gone(APP, ago=10)
    assert store.writes == 0


def test_an_event_that_comes_twice_is_not_asked_about_twice() -> None:
    store, images = FakeStore(), FakeImages()
    for _ in range(2):
        reconcile(store, images, deleted(APP), deleted(APP))
    assert (images.asked, store.writes) == ([APP], 1)


def test_many_events_of_a_batch_are_one_write() -> None:
    store = FakeStore()
    images = [image(number) for number in range(100)]
    outcome = reconcile(store, FakeImages(*images[:50]), *map(deleted, images))
    assert set(outcome.refused) == set(images[50:])
    assert store.writes == 1


def test_a_deletion_in_the_future_is_one_of_now() -> None:
    store = FakeStore()
    reconcile(store, FakeImages(), deleted(APP, ago=-86_400 * 365))
    assert store.hints.deleted == {APP: seconds(STARTED_AT)}


def test_a_failure_of_ecr_refuses_nothing_and_lifts_nothing_and_holds_up_no_other_repository() -> None:
    store, images = FakeStore(gone(APP)), FakeImages()
    images.refused = {APP.repository}
    second = image(7)
    outcome = reconcile(store, images, returned(APP), deleted(second), deleted(BASE))
    assert outcome.refused == (BASE,)
    assert outcome.unknown == dict.fromkeys((APP, second), "ECR does not say whether team/app has an image")
    assert set(store.hints.gone) == {APP, BASE}
    assert len([asked for asked in images.asked if asked.repository == APP.repository]) == 1
    assert [event.image for event in outcome.again] == [APP, second]


def test_without_time_to_ask_ecr_the_events_have_to_come_again() -> None:
    store = FakeStore()
    outcome = reconcile(store, FakeImages(), deleted(APP), deleted(BASE), clock=FakeClock(remaining_seconds=19.9))
    assert outcome.unknown == dict.fromkeys((APP, BASE), "no time was left to ask ECR")
    assert store.hints.gone == {}
    assert reconcile(store, FakeImages(), deleted(APP), clock=FakeClock(remaining_seconds=20)).unknown == {}


@pytest.mark.parametrize("order", [1, -1])
def test_of_several_deletions_of_an_image_the_latest_counts(order: int) -> None:
    store = FakeStore()
    reconcile(store, FakeImages(), *[deleted(APP, ago=90), deleted(APP, ago=30)][::order])
    assert store.hints.deleted == {APP: seconds(STARTED_AT) - 30}


def test_what_another_writer_wrote_meanwhile_is_kept_and_ecr_is_asked_again() -> None:
    store, images = FakeStore(), FakeImages(APP)
    before = FakeImages()

    def meanwhile() -> None:
        """The image is deleted just after ECR was asked, and another instance is faster with that."""
        images.meanwhile = lambda: None
        images.there.clear()
        reconcile(store, before, deleted(APP, ago=0), deleted(BASE))

    images.meanwhile = meanwhile
    reconcile(store, images, deleted(APP), deleted(OTHER))
    assert set(store.hints.gone) == {APP, BASE, OTHER}


def test_a_writer_that_is_always_faster_is_an_error() -> None:
    store, images, clock = FakeStore(gone(BASE)), FakeImages(), FakeClock()

    def faster() -> None:
        other = store.read()
        assert store.write(
            Hints({image(100 + store.writes): seconds(STARTED_AT)}, {}), version=other.version, now=clock.now()
        )

    images.meanwhile = faster
    with pytest.raises(ClusterError, match=f"another writer changed the hints each of {ATTEMPTS} times"):
        reconcile(store, images, deleted(APP), clock=clock)
    assert clock.slept == [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0]


def test_lines_of_another_format_are_counted_and_replaced() -> None:
    store = FakeStore(gone(APP))
    assert store.data is not None
    store.data["gone"] += "team/app\n"
    assert reconcile(store, FakeImages(BASE), returned(BASE)).wrong_lines == 1
    assert store.read().wrong_lines == 0
    assert store.hints == gone(APP)


def test_what_an_operator_named_is_refused_although_ecr_has_it() -> None:
    store, images = FakeStore(gone(BASE)), FakeImages(APP)
    gone_images.forget([APP], store=store, clock=FakeClock())
    assert store.hints == Hints(gone(BASE).deleted, {APP: seconds(STARTED_AT)})
    reconcile(store, images, returned(APP), deleted(APP))
    assert APP in store.hints.gone, "neither a push nor the removal of a tag lifts it"
    assert images.asked == []


def test_an_operator_lifts_what_was_named_and_what_was_deleted() -> None:
    store = FakeStore(gone(BASE))
    gone_images.forget([APP], store=store, clock=FakeClock())
    assert gone_images.remember([APP, BASE, OTHER], store=store, clock=FakeClock()) == (APP, BASE)
    assert store.hints == Hints({}, {})


def test_an_image_too_many_is_an_error_and_none_is_lost() -> None:
    named = [image(number) for number in range(200)]
    store = FakeStore()
    gone_images.forget(named, store=store, clock=FakeClock())
    gone_images.forget(named[:1], store=store, clock=FakeClock())
    with pytest.raises(EventError, match="would have named 201 images, and 200 is the limit"):
        gone_images.forget([APP, image(1000)], store=store, clock=FakeClock())
    assert set(store.hints.named) == set(named)
