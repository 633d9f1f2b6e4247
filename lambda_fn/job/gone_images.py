"""Which images the proxy has to refuse: after ECR's events, and as an operator says. Pure over its ports.

An event only says where to look. Whether an image exists, ECR itself says: a DELETE may be about one tag of several,
and events come late, twice and in any order. So a forged event removes nothing, and neither does a failure of ECR.

The order of each attempt is what makes it safe beside another writer: read the hints, ask ECR, write on the condition
that no other writer was faster. After another write everything is asked again.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Protocol, TypeVar

from lambda_fn.contract.ecr_events import Action
from lambda_fn.contract.errors import ClusterError, EventError, RegistryError
from lambda_fn.contract.hints import MOST_NAMED, Hints, Image
from lambda_fn.job.image_event import ImageEvent
from lambda_fn.job.ports import WRITE_SECONDS, Clock

Result = TypeVar("Result")

ATTEMPTS = 8
"""At most two instances run at once, and an operator beside them; each attempt takes a second or two."""
_PAUSE_SECONDS = 0.5
_LOOKED_AT_AGAIN = 500
"""Of the refused images of each repository into which ECR imported one: those of the latest deletions."""


class Images(Protocol):
    """The images in ECR."""

    def exists(self, image: Image) -> bool:
        """Whether ECR has the image.

        Raises:
            RegistryError: It does not say.
        """


@dataclass(frozen=True, slots=True)
class Stored:
    """The hints in the cluster.

    Attributes:
        hints: What they say.
        version: Of the object; None where there is none yet.
        wrong_lines: Lines that another writer wrote in another format.
        is_outdated: Whether a former watcher wrote it, whose deletions were left out.
    """

    hints: Hints
    version: str | None
    wrong_lines: int = 0
    is_outdated: bool = False


class Store(Protocol):
    """The hints in the cluster. Each method raises ClusterError when the API refuses or fails."""

    def read(self) -> Stored:
        """The hints as they are."""

    def write(self, hints: Hints, *, version: str | None, now: datetime) -> bool:
        """Replace what `read` gave with that version; False, without a change, where it has another one by now."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What some events led to.

    Attributes:
        refused: Images that are refused from now on.
        served: Images that are no longer refused, because ECR has them again.
        unknown: Images that ECR said nothing about, and why.
        again: The events that have to come again for that.
        wrong_lines: As in `Stored`.
    """

    refused: tuple[Image, ...] = ()
    served: tuple[Image, ...] = ()
    unknown: Mapping[Image, str] = field(default_factory=dict)
    again: tuple[ImageEvent, ...] = ()
    wrong_lines: int = 0


def reconcile(
    events: Sequence[ImageEvent], *, doubtful: Iterable[Image] = (), images: Images, store: Store, clock: Clock
) -> Outcome:
    """Bring the hints up to what ECR has now of the images in these events, in one write.

    Args:
        events: What happened.
        doubtful: Images about which ECR's list and the hints differ: an event may have been lost.
        images: ECR.
        store: The hints.
        clock: The time, and how much of it is left.

    Raises:
        ClusterError: The hints cannot be read or written.
    """
    deleted_at = _latest(each for each in events if each.action is Action.DELETE)
    returned = [each.image for each in events if each.action is not Action.DELETE]
    # An import's event names what has the tag. With an index come the manifests of its platforms.
    filled = dict.fromkeys(_repository(each.image) for each in events if each.action is Action.IMPORT)

    def decide(stored: Stored) -> tuple[Hints, Outcome]:
        deleted = dict(stored.hints.deleted)
        now = int(clock.now().timestamp())
        gone_at = {**{image: now for image in doubtful if image not in deleted}, **deleted_at}
        back = dict.fromkeys([*returned, *doubtful, *_beside(deleted, filled)])
        asked = [
            image
            for image in {**gone_at, **back}
            # Not after a second delivery of the event that the line is from, nor what an operator decided.
            if image not in stored.hints.named
            and ((image in deleted and image in back) or gone_at.get(image, 0) > deleted.get(image, 0))
        ]
        answers, unknown = _ask(asked, images, clock)
        for image, exists in answers.items():
            if exists:
                deleted.pop(image, None)
            else:
                deleted[image] = max(min(gone_at.get(image, 0), now), deleted.get(image, 0))
        before = stored.hints.gone
        hints = Hints(deleted, stored.hints.named)
        return hints, Outcome(
            refused=tuple(sorted(hints.gone.keys() - before.keys())),
            served=tuple(sorted(before.keys() - hints.gone.keys())),
            unknown=unknown,
            again=_again(events, unknown),
            wrong_lines=stored.wrong_lines,
        )

    return _update(store, clock, decide)


def forget(images: Iterable[Image], *, store: Store, clock: Clock) -> None:
    """Refuse these images until `remember`, whatever ECR says of them.

    Raises:
        EventError: With them there would be too many.
        ClusterError: The hints cannot be read or written.
    """
    at = int(clock.now().timestamp())

    def decide(stored: Stored) -> tuple[Hints, None]:
        named = {**stored.hints.named, **dict.fromkeys(images, at)}
        if len(named) > MOST_NAMED:
            raise EventError(
                f"operators would have named {len(named)} images, and {MOST_NAMED} is the limit; none was added. Fix: "
                "delete images in ECR, and take those off the list with frontdoor forget --undo; the key named of the "
                "ConfigMap is the list"
            )
        return Hints(stored.hints.deleted, named), None

    _update(store, clock, decide)


def remember(images: Iterable[Image], *, store: Store, clock: Clock) -> tuple[Image, ...]:
    """Let pods serve these images again; those of them that were refused until now.

    Raises:
        ClusterError: The hints cannot be read or written.
    """
    lifted = frozenset(images)

    def decide(stored: Stored) -> tuple[Hints, tuple[Image, ...]]:
        kept = Hints(_without(stored.hints.deleted, lifted), _without(stored.hints.named, lifted))
        return kept, tuple(sorted(lifted.intersection(stored.hints.gone)))

    return _update(store, clock, decide)


def _update(store: Store, clock: Clock, decide: Callable[[Stored], tuple[Hints, Result]]) -> Result:
    for attempt in range(ATTEMPTS):
        stored = store.read()
        hints, result = decide(stored)
        if hints == stored.hints and not stored.wrong_lines and not stored.is_outdated:
            return result
        if store.write(hints, version=stored.version, now=clock.now()):
            return result
        clock.sleep(_PAUSE_SECONDS * (attempt + 1))
    raise ClusterError(
        f"another writer changed the hints each of {ATTEMPTS} times while this run decided on them. Their events come "
        "again. Fix: look for what writes the ConfigMap, beside the watcher"
    )


def _beside(deleted: Mapping[Image, int], filled: Iterable[tuple[str, str]]) -> Iterator[Image]:
    """The latest refused images of each of these repositories, one repository after the other.

    So where the time ends, some repositories are done, and only the events of the others come again.
    """
    latest = sorted(deleted, key=deleted.__getitem__, reverse=True)
    for repository in filled:
        yield from islice((image for image in latest if _repository(image) == repository), _LOOKED_AT_AGAIN)


def _ask(images: Iterable[Image], asked: Images, clock: Clock) -> tuple[dict[Image, bool], dict[Image, str]]:
    """Whether each image exists, and why it is unknown for the others. A repository that fails is not asked again."""
    answers: dict[Image, bool] = {}
    unknown: dict[Image, str] = {}
    failed: dict[tuple[str, str], str] = {}
    for image in images:
        repository = _repository(image)
        # What has not been asked by then waits for another delivery.
        if repository not in failed and clock.remaining_seconds() < WRITE_SECONDS:
            unknown[image] = "no time was left to ask ECR"
            continue
        try:
            if repository not in failed:
                answers[image] = asked.exists(image)
                continue
        except RegistryError as error:
            failed[repository] = str(error)
        unknown[image] = failed[repository]
    return answers, unknown


def _again(events: Iterable[ImageEvent], unknown: Iterable[Image]) -> tuple[ImageEvent, ...]:
    images, repositories = {*unknown}, {_repository(image) for image in unknown}
    return tuple(
        event
        for event in events
        if event.image in images or (event.action is Action.IMPORT and _repository(event.image) in repositories)
    )


def _latest(events: Iterable[ImageEvent]) -> dict[Image, int]:
    times: dict[Image, int] = {}
    for event in events:
        times[event.image] = max(int(event.at.timestamp()), times.get(event.image, 0))
    return times


def _without(times: Mapping[Image, int], images: frozenset[Image]) -> dict[Image, int]:
    return {image: at for image, at in times.items() if image not in images}


def _repository(image: Image) -> tuple[str, str]:
    return image.host, image.repository
