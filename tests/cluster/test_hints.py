"""The hints on a real API server: the charts' rights, writers at the same time, and the watcher as Lambda runs it."""

import json
import os
import ssl
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

import boto3
import httpx2
import pytest
from lightkube.resources.rbac_authorization_v1 import Role

from lambda_fn.contract import hints
from lambda_fn.contract.ecr_events import DETAIL_TYPES, Action, success
from lambda_fn.contract.errors import ClusterError
from lambda_fn.contract.hints import Hints, Image
from lambda_fn.edges.clock import LambdaClock
from lambda_fn.edges.hint_store import HintStore
from lambda_fn.job import gone_images
from lambda_fn.job.image_event import ImageEvent
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.imports import UPSTREAM
from testbed.sandbox.cloud.publish import Image as Pushed
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.world import World
from tests.cluster.conftest import Run, watcher_session
from tests.cluster.site import Invocation, Site
from tests.contract.cluster import objects_of
from tests.fakes.ecr_catalogue import INDEX, MANIFEST
from tests.fakes.hints import FakeImages, event, image, messages

NAME = "aws-registry-proxy-hints"
REPOSITORY = "team/gone"


@contextmanager
def connected(site: Site, role: boto3.Session) -> Iterator[HintStore]:
    """A watcher's edge to the cluster, with a session of its own."""
    with watcher_session(site, role) as session:
        yield HintStore(objects_of(site.settings), session)


def stored(site: Site) -> Hints:
    found = site.read("ConfigMap", NAME) or {}
    return hints.parse(found.get("data", {}))[0]


def test_the_rights_of_the_charts_are_enough_to_make_read_and_change_the_hints(site: Site, role: boto3.Session) -> None:
    now = datetime.now(UTC)
    at = int(now.timestamp())
    with connected(site, role) as store:
        assert store.read().version is None
        assert store.write(Hints({image(): at}, {}), version=None, now=now)
        first = store.read()
        assert first.hints == Hints({image(): at}, {})
        assert store.write(Hints({}, {image(1): at}), version=first.version, now=now)
        assert not store.write(Hints({}, {}), version=first.version, now=now), "the version is an old one"
        assert not store.write(Hints({}, {}), version=None, now=now), "it exists by now"
        assert stored(site) == Hints({}, {image(1): at})
    found = site.read("ConfigMap", NAME) or {}
    assert found["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "ecr-frontdoor"


def test_a_watcher_with_another_queue_begins_without_the_deletions_of_the_former_one(
    site: Site, role: boto3.Session
) -> None:
    now = datetime.now(UTC)
    at = int(now.timestamp())
    with watcher_session(site, role) as session:
        former, own = (HintStore(objects_of(site.settings), session, queue=queue) for queue in ("former", "own"))
        assert former.write(Hints({image(): at}, {image(1): at}), version=None, now=now)
        assert former.read().hints == Hints({image(): at}, {image(1): at})
        begun = own.read()
        assert (begun.hints, begun.is_outdated) == (Hints({}, {image(1): at}), True)
        assert own.write(begun.hints, version=begun.version, now=now)
        assert (own.read().is_outdated, former.read().is_outdated) == (False, True)
    assert stored(site) == Hints({}, {image(1): at})


@pytest.mark.parametrize(("verb", "names"), [("get", True), ("patch", True), ("create", False)])
def test_a_verb_that_the_role_lacks_is_an_error_that_names_it(
    site: Site, role: boto3.Session, verb: str, *, names: bool
) -> None:
    found = site.administrator.get(Role, "aws-registry-proxy-watcher", namespace=site.settings.cluster.namespace)
    for rule in found.rules or []:
        if bool(rule.resourceNames) is names:
            rule.verbs = [other for other in rule.verbs if other != verb]
    found.rules = [rule for rule in found.rules or [] if rule.verbs]
    site.administrator.replace(found)
    site.invocation.remaining_seconds = 0
    with connected(site, role) as store, pytest.raises(ClusterError, match=f"forbids the Lambda to {verb} configmaps"):
        gone_images.forget([image()], store=store, clock=LambdaClock(site.invocation))


def test_an_edit_by_hand_is_kept_as_far_as_it_is_valid(site: Site, role: boto3.Session) -> None:
    at = int(datetime.now(UTC).timestamp())
    with connected(site, role) as store:
        assert store.write(Hints({image(): at}, {}), version=None, now=datetime.now(UTC))
        site.edit("ConfigMap", NAME, ("data", "gone"), f"{at} {image(5)}\nnonsense\n")
        clock = LambdaClock(site.invocation)
        gone_images.forget([image(6)], store=store, clock=clock)
    assert set(stored(site).gone) == {image(5), image(6)}


def test_writers_at_the_same_time_lose_no_line(site: Site, role: boto3.Session) -> None:
    """Four instances, although the queue allows two: each follows 25 deletions, five times five."""
    batches = [[image(100 * writer + number) for number in range(25)] for writer in range(4)]

    def follow(images: list[Image]) -> None:
        clock = LambdaClock(Invocation(remaining_seconds=300))
        with connected(site, role) as store:
            for start in range(0, 25, 5):
                found = images[start : start + 5]
                events = [ImageEvent(Action.DELETE, each, (each.repository,), clock.now()) for each in found]
                gone_images.reconcile(events, images=FakeImages(), store=store, clock=clock)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(follow, batches))
    assert set(stored(site).gone) == {each for batch in batches for each in batch}


@pytest.fixture
def pushed(world: World, control: Control) -> Iterator[Callable[[], Pushed]]:
    """Pushes an image to ECR, as a new one or again."""
    content = uuid.uuid4().bytes
    with ExitStack() as stack:
        trust = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
        client = stack.enter_context(httpx2.Client(verify=trust))
        token = control.issue_token(world.region).authorization
        yield lambda: Publisher(client, world.ecr_host, token).image(REPOSITORY, "1.4", [content])


def of_ecr(world: World, action: Action, digest: str, repository: str = REPOSITORY) -> Mapping[str, Any]:
    fields = {name.replace("-", "_"): value for name, value in success(action).items()}
    return event(
        DETAIL_TYPES[action],
        account=world.account,
        region=world.region,
        time=f"{datetime.now(UTC):%FT%TZ}",
        repository_name=repository,
        image_digest=digest,
        **fields,
    )


def test_the_watcher_follows_an_image_from_its_push_to_its_deletion_and_back(
    site: Site, world: World, control: Control, run: Run, pushed: Callable[[], Pushed]
) -> None:
    digest = pushed().digest
    ours = Image(world.ecr_host, REPOSITORY, digest)
    everything_done: dict[str, list[object]] = {"batchItemFailures": []}

    # The removal of one of two tags: ECR sends the same event as for the last one.
    assert run(messages(dict(of_ecr(world, Action.DELETE, digest)))) == everything_done
    assert stored(site).gone == {}

    control.delete_image(world.ecr_host, REPOSITORY, digest)
    with control.behaving(Behaviour(images_api_error="ServerException")):
        failed = run(messages(dict(of_ecr(world, Action.DELETE, digest)), "not of ECR"))
    assert [one["itemIdentifier"] for one in failed["batchItemFailures"]] == ["message-1", "message-0"]
    assert stored(site).gone == {}, "a failure of ECR refuses nothing"

    assert run(messages(dict(of_ecr(world, Action.DELETE, digest)))) == everything_done
    assert set(stored(site).gone) == {ours}

    assert pushed().digest == digest
    assert run(messages(dict(of_ecr(world, Action.PUSH, digest)))) == everything_done
    assert stored(site).gone == {}


def test_the_watcher_follows_an_index_that_ecr_imports_after_its_deletion(
    site: Site, world: World, control: Control, run: Run
) -> None:
    """Of its platform's image comes no event."""
    token, name = control.issue_token(world.region).authorization, f"team/{uuid.uuid4().hex[:8]}"
    tag = f"https://{world.ecr_host}/v2/{name}/manifests/1"
    trust = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
    with httpx2.Client(verify=trust) as client, control.behaving(Behaviour(pull_through=frozenset({"team"}))):
        upstream = Publisher(client, world.ecr_hosts[1], token)
        platform = upstream.image(f"{UPSTREAM}/{name}", "amd64", [b"layer"])
        child = {"mediaType": MANIFEST, "digest": platform.digest, "size": len(platform.manifest)}
        content = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [child]}).encode()
        digests = (upstream.manifest(f"{UPSTREAM}/{name}", "1", content, INDEX), platform.digest)

        def pull() -> bytes:
            return client.get(tag, headers={"Authorization": f"Basic {token}", "Accept": INDEX}).content

        assert pull() == content
        for digest in digests:
            control.delete_image(world.ecr_host, name, digest)
        run(messages(*(dict(of_ecr(world, Action.DELETE, digest, name)) for digest in digests)))
        assert set(stored(site).gone) == {Image(world.ecr_host, name, digest) for digest in digests}

        assert pull() == content, "ECR imports it again"
        run(messages(dict(of_ecr(world, Action.IMPORT, digests[0], name))))
        assert stored(site).gone == {}


def test_what_an_operator_forgets_stays_refused_until_it_is_remembered(
    site: Site, world: World, run: Run, pushed: Callable[[], Pushed]
) -> None:
    digest = pushed().digest
    ours, name = Image(world.ecr_host, REPOSITORY, digest), f"{REPOSITORY}@{digest}"
    assert run({"forget": [name]}) == {"forgotten": [str(ours)], "in_ecr": [str(ours)]}
    run(messages(dict(of_ecr(world, Action.PUSH, digest))))
    assert set(stored(site).gone) == {ours}
    assert run({"remember": [name]}) == {"remembered": [str(ours)]}
    assert stored(site).gone == {}
