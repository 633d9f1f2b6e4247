"""The watcher's entry point: ECR's events, an operator's wishes and a schedule in, hints and the catalogue out."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from lambda_fn.contract.errors import ClusterError, EventError, RegistryError, SettingsError
from lambda_fn.contract.hints import Image
from lambda_fn.contract.metrics import CATALOGUE_OLD, CatalogueRun, dimensions
from lambda_fn.contract.objects import watcher_role
from lambda_fn.contract.runtime import DELETIONS_QUEUE, TASK_ROOT
from lambda_fn.edges import metrics, settings_file
from lambda_fn.edges.catalogue_store import CatalogueStore
from lambda_fn.edges.clock import LambdaClock
from lambda_fn.edges.ecr_catalogue import EcrCatalogue
from lambda_fn.edges.ecr_images import EcrImages
from lambda_fn.edges.eks import Eks
from lambda_fn.edges.hint_store import HintStore
from lambda_fn.edges.kubernetes_session import KubernetesSession
from lambda_fn.edges.log import errors_to, new_logger
from lambda_fn.job import gone_images, image_event, watcher_event
from lambda_fn.job.api_error import Grant
from lambda_fn.job.catalogue.round import Report as CatalogueReport
from lambda_fn.job.catalogue.round import Run
from lambda_fn.job.gone_images import Outcome
from lambda_fn.job.image_event import ImageEvent
from lambda_fn.job.manifests import Objects
from lambda_fn.job.watcher_event import Batch, ContinueRound, Forget, Message, Remember
from lambda_fn.settings.models import Settings
from lambda_fn.settings.routing import Routing

Connect = Callable[[], AbstractContextManager[HintStore]]
"""The hints in the cluster, with a connection of its own."""
ConnectCatalogue = Callable[[], AbstractContextManager[Run]]
"""A run of the catalogue, likewise."""
Session = Callable[[], AbstractContextManager[KubernetesSession]]

logger = new_logger()

_ASKING_SECONDS = 30
"""An unreachable ECR takes as long for one image."""


@logger.inject_lambda_context(log_event=False, clear_state=True)
def handler(event: object, context: LambdaContext) -> dict[str, Any]:
    """A batch of ECR's events, or what an operator wants forgotten or remembered.

    Args:
        event: As `lambda_fn.job.watcher_event` describes it.
        context: The Lambda context.

    Returns:
        For a batch, the messages to deliver again, as Lambda expects it of a function with partial failures:
        https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html . Otherwise what was done.

    Raises:
        FrontdoorError: The run failed, and the invocation with it: SQS delivers the whole batch again.
    """
    clock = LambdaClock(context)
    with errors_to(logger):
        settings, images, eks = _edges(Path(os.environ.get(TASK_ROOT, ".")))
        connect, catalogue = _connections(settings, images, eks, clock)
        routing = Routing(settings.registries)
        match watcher_event.parse(event, routing):
            case Batch(queue, messages):
                events, again = _events(messages, routing)
                again += _update_hints(events, images, connect, clock) if settings.watcher.deletions else []
                # The other queue has the deletions, too, for the catalogue: the next one does not wait for that here.
                if events and catalogue and queue != os.environ.get(DELETIONS_QUEUE):
                    _update_catalogue({name for event in events.values() for name in event.names}, catalogue)
                return {"batchItemFailures": [{"itemIdentifier": id_} for id_ in again]}
            case ContinueRound():
                cluster = settings.cluster
                names = dimensions(domain=settings.domain, cluster=cluster.name, namespace=cluster.namespace)
                return _continue_round(catalogue, names, clock)
            case Forget(named):
                with connect() as store:
                    gone_images.forget(named, store=store, clock=clock)
                return _logged({"forgotten": _texts(named), "in_ecr": _in_ecr(named, images, clock)})
            case Remember(named):
                with connect() as store:
                    lifted = gone_images.remember(named, store=store, clock=clock)
                return _logged({"remembered": _texts(lifted)})


def _events(messages: tuple[Message, ...], routing: Routing) -> tuple[dict[str, ImageEvent], list[str]]:
    """The events that matter, by the ids of their messages; and the messages that are not an event of ECR."""
    events: dict[str, ImageEvent] = {}
    wrong: list[str] = []
    for message in messages:
        try:
            event = image_event.parse(message.body, routing)
        except EventError as error:
            logger.error(str(error), error=type(error).__name__, message_id=message.id)  # noqa: TRY400 - complete
            wrong.append(message.id)
            continue
        if event:
            events[message.id] = event
    return events, wrong


def _update_hints(
    events: Mapping[str, ImageEvent], images: EcrImages, connect: Connect, clock: LambdaClock
) -> list[str]:
    """Bring the hints up to date; the messages about which ECR said nothing, for another delivery."""
    if not events:
        return []
    with connect() as store:
        outcome = gone_images.reconcile([*events.values()], images=images, store=store, clock=clock)
    _log_outcome(outcome, events=len(events))
    return [id_ for id_, event in events.items() if event in outcome.again]


def _look_again(images: EcrImages, clock: LambdaClock, store: HintStore, doubtful: Sequence[Image]) -> bool:
    """Have pods refuse those of these images that ECR does not have, and no other; whether it answered for each."""
    outcome = gone_images.reconcile([], doubtful=doubtful, images=images, store=store, clock=clock)
    _log_outcome(outcome, events=0)
    return not outcome.unknown


def _log_outcome(outcome: Outcome, *, events: int) -> None:
    for reason in dict.fromkeys(outcome.unknown.values()):
        logger.error(reason)
    if outcome.wrong_lines:
        logger.warning("lines of the hints had another format and were removed", lines=outcome.wrong_lines)
    _logged({"refused": _texts(outcome.refused), "served": _texts(outcome.served), "events": events})


def _update_catalogue(repositories: Iterable[str], connect: ConnectCatalogue) -> None:
    """Bring these repositories of the catalogue up to date.

    A failure does not have the events delivered again, since that would call deletions late: the round reads them, too.
    """
    try:
        with connect() as run:
            report = run.update(repositories)
    except ClusterError as error:
        logger.error(str(error), error=type(error).__name__)  # noqa: TRY400 - its message is complete
    else:
        _log_catalogue(report)


def _continue_round(connect: ConnectCatalogue | None, names: Mapping[str, str], clock: LambdaClock) -> dict[str, Any]:
    if connect is None:
        raise SettingsError("page.catalogue is false. Fix: set page.catalogue = true, and deploy")
    try:
        with connect() as run:
            report = run.continue_round()
    except ClusterError:
        # An hour of these alone raises the alarm, also where no run has ever succeeded.
        metrics.emit_catalogue(names, CatalogueRun(seconds_since_round=CATALOGUE_OLD.total_seconds()))
        raise
    if (age := report.age(clock.now())) is not None:
        metrics.emit_catalogue(names, CatalogueRun(seconds_since_round=age.total_seconds()))
    return _log_catalogue(report)


def _log_catalogue(report: CatalogueReport) -> dict[str, Any]:
    for problem in report.problems:
        logger.warning(problem)
    logger.info("catalogue", report=report.to_json())
    return report.to_json()


def _in_ecr(named: tuple[Image, ...], images: EcrImages, clock: LambdaClock) -> list[str]:
    """Those of the images that ECR still has, or of which it does not say in time that it has none."""
    found = []
    for image in named:
        try:
            exists = clock.remaining_seconds() < _ASKING_SECONDS or images.exists(image)
        except RegistryError as error:
            logger.warning(str(error))
            exists = True
        if exists:
            found.append(str(image))
    return found


def _connections(
    settings: Settings, images: EcrImages, eks: Eks, clock: LambdaClock
) -> tuple[Connect, ConnectCatalogue | None]:
    """How to reach the hints, and the catalogue where the page has one."""
    names, namespace, page = settings.names, settings.cluster.namespace, settings.page
    objects = Objects(names, namespace, settings.proxy.labels, settings.proxy.annotations)
    grant = Grant(namespace, watcher_role(names.workload), settings.watcher_group)
    session = partial(_session, grant, eks, clock)
    new_run = partial(Run, Routing(settings.registries), EcrCatalogue(clock), clock=clock, findings=page.findings)
    look_again = partial(_look_again, images, clock) if settings.watcher.deletions else None
    catalogue = partial(_catalogue, new_run, look_again, objects, session) if page.catalogue else None
    return partial(_store, objects, session), catalogue


@contextmanager
def _store(objects: Objects, connect: Session) -> Iterator[HintStore]:
    with connect() as session:
        yield _hint_store(objects, session)


def _hint_store(objects: Objects, session: KubernetesSession) -> HintStore:
    return HintStore(objects, session, queue=os.environ.get(DELETIONS_QUEUE))


@contextmanager
def _catalogue(
    new_run: Callable[..., Run],
    look_again: Callable[[HintStore, Sequence[Image]], bool] | None,
    objects: Objects,
    connect: Session,
) -> Iterator[Run]:
    with connect() as session:
        if look_again:
            hints = _hint_store(objects, session)
            new_run = partial(new_run, refused=hints.read().hints.deleted, look_again=partial(look_again, hints))
        yield new_run(store=CatalogueStore(objects, session))


@contextmanager
def _session(grant: Grant, eks: Eks, clock: LambdaClock) -> Iterator[KubernetesSession]:
    with closing(KubernetesSession(grant, eks.connect(), eks, clock)) as session:
        yield session


def _texts(images: tuple[Image, ...]) -> list[str]:
    return [str(image) for image in images]


def _logged(report: dict[str, Any]) -> dict[str, Any]:
    logger.info("watcher", report=report)
    return report


@cache
def _edges(bundle: Path) -> tuple[Settings, EcrImages, Eks]:
    """The settings, and the clients made of them: reused while the Lambda is warm."""
    settings = settings_file.read(bundle)
    return settings, EcrImages(), Eks(settings.cluster, settings.proxy.resolver)
