import json
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_fn.contract.ecr_events import Action
from lambda_fn.contract.errors import EventError
from lambda_fn.contract.hints import Image
from lambda_fn.job.image_event import ImageEvent, parse
from lambda_fn.settings import Registry
from lambda_fn.settings.routing import Routing
from tests.fakes.hints import event, image

ROUTING = Routing(
    [
        Registry(account="123456789012", region="ap-southeast-2", repositories=("team/*", "base")),
        Registry(account="210987654321", region="eu-west-1", endpoint="210987654321.dkr-ecr.eu-west-1.on.aws"),
    ]
)
KINDS = ("ECR Image Action", "ECR Replication Action", "ECR Pull Through Cache Action")
FIELDS = sorted({field for kind in KINDS for field in (*event(kind), *event(kind)["detail"])})
TEXTS = st.text("aPUSH0:/\n", max_size=4)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)


def parsed(**changes: Any) -> ImageEvent | None:  # noqa: ANN401 - anything that JSON can be
    return parse(json.dumps(event(**changes)), ROUTING)


def test_an_event_is_about_an_image_as_the_proxy_names_it() -> None:
    assert parsed() == ImageEvent(Action.DELETE, image(), ("team/app",), datetime(2026, 11, 23, 8, 59, 30, tzinfo=UTC))


def test_an_event_without_a_tag_is_one_about_the_image() -> None:
    untagged = event(action_type="PUSH")
    del untagged["detail"]["image-tag"]
    found = parse(json.dumps(untagged), ROUTING)
    assert found is not None
    assert (found.action, found.image) == (Action.PUSH, image())


# https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html has both, with digests that are cut short,
# and the first one on 29 February 2023.
IMPORTED = """{"version": "0", "id": "85fc3613-e913-7fc4-a80c-a3753e4aa9ae",
"detail-type": "ECR Pull Through Cache Action", "source": "aws.ecr",
"account": "123456789012", "time": "2023-02-28T02:36:48Z", "region": "us-west-2",
"resources": ["arn:aws:ecr:us-west-2:123456789012:repository/docker-hub/alpine"], "detail": {"rule-version": "1",
"sync-status": "SUCCESS", "ecr-repository-prefix": "docker-hub", "repository-name": "docker-hub/alpine",
"upstream-registry-url": "public.ecr.aws", "image-tag": "3.17.2", "image-digest": "DIGEST"}}"""
REPLICATED = """{"version": "0", "id": "c8b133b1-6029-ee73-e2a1-4f466b8ba999", "detail-type": "ECR Replication Action",
"source": "aws.ecr", "account": "123456789012", "time": "2024-05-08T20:44:54Z", "region": "us-east-1",
"resources": ["arn:aws:ecr:us-east-1:123456789012:repository/docker-hub/alpine"], "detail": {"result": "SUCCESS",
"repository-name": "docker-hub/alpine", "image-digest": "DIGEST", "source-account": "123456789012",
"action-type": "REPLICATE", "source-region": "us-west-2", "image-tag": "3.17.2"}}"""


@pytest.mark.parametrize(
    ("documented", "action", "region", "at"),
    [
        (IMPORTED, Action.IMPORT, "us-west-2", datetime(2023, 2, 28, 2, 36, 48, tzinfo=UTC)),
        (REPLICATED, Action.REPLICATE, "us-east-1", datetime(2024, 5, 8, 20, 44, 54, tzinfo=UTC)),
    ],
    ids=["imported", "replicated"],
)
def test_an_image_that_ecr_imports_or_replicates_is_in_the_registry_of_the_event(
    documented: str, action: Action, region: str, at: datetime
) -> None:
    registry = Registry(account="123456789012", region=region, repositories=("docker-hub/*",))
    digest = image().digest
    found = parse(documented.replace("DIGEST", digest), Routing([registry]))
    assert found == ImageEvent(action, Image(registry.host, "docker-hub/alpine", digest), ("docker-hub/alpine",), at)


def test_the_host_of_the_image_is_the_endpoint_of_the_settings() -> None:
    found = parsed(account="210987654321", region="eu-west-1", repository_name="other/app")
    assert found is not None
    assert found.image.host == "210987654321.dkr-ecr.eu-west-1.on.aws"


def test_an_event_names_ecrs_repository_and_clients_its_public_names() -> None:
    registry = partial(Registry, account="123456789012", region="ap-southeast-2")
    routing = Routing(
        [
            registry(repositories=("base/*",), strip="base/", prefix="platform/"),
            registry(repositories=("team/*",), renames={"python": "platform/python"}),
        ]
    )
    found = parse(json.dumps(event(repository_name="platform/python")), routing)
    assert found is not None
    assert (found.image, found.names) == (image(repository="platform/python"), ("python", "base/python"))
    assert parse(json.dumps(event(repository_name="base/python")), routing) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"source": "aws.s3"},
        {"detail_type": "ECR Image Scan"},
        {"result": "FAILURE"},
        {"action_type": "UPDATE"},
        {"action_type": "REPLICATE"},
        {"action_type": ["DELETE"]},
        {"detail_type": "ECR Replication Action", "result": "FAILED"},
        {"detail_type": "ECR Replication Action", "action_type": "DELETE"},
        {"detail_type": "ECR Pull Through Cache Action", "sync_status": "FAILED", "image_digest": None},
        {"account": "999999999999"},
        {"region": "us-east-1"},
        {"repository_name": "other/app"},
        {"repository_name": "team"},
        # A client gets this one from the first registry.
        {"account": "210987654321", "region": "eu-west-1"},
    ],
    ids=str,
)
def test_an_event_of_no_interest_is_left_out(changes: dict[str, Any]) -> None:
    assert parsed(**changes) is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"detail": None}, "has no detail"),
        ({"repository_name": None}, "has repository-name = None"),
        ({"repository_name": "team/../x y"}, "has repository-name = 'team/../x y'"),
        ({"repository_name": "team/app\n"}, "has repository-name ="),
        ({"image_digest": "sha256:0"}, "has image-digest = 'sha256:0'"),
        ({"image_digest": ["sha256:0"]}, "has image-digest ="),
        ({"account": 123456789012}, "has account = 123456789012"),
        ({"region": ""}, "has region = ''"),
        ({"time": "yesterday"}, "has the time 'yesterday'"),
        ({"time": None}, "has the time None"),
    ],
    ids=str,
)
def test_an_event_that_lacks_something_is_an_error_that_names_it(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(EventError, match=message.replace(".", r"\.").replace("[", r"\[")):
        parsed(**changes)


@pytest.mark.parametrize("body", ["", "[]", "null", "{", "[" * 100_000])
def test_a_message_that_is_not_an_object_is_an_error_with_a_short_message(body: str) -> None:
    with pytest.raises(EventError, match="is not a JSON object") as caught:
        parse(body, ROUTING)
    assert len(str(caught.value)) < 300


@given(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_whatever_the_fields_hold_the_answer_is_an_event_none_or_an_error(kind: str, changes: dict[str, Any]) -> None:
    body = event(kind)
    body["detail"].update({key: value for key, value in changes.items() if key in body["detail"]})
    body.update({key: value for key, value in changes.items() if key in body})
    try:
        found = parse(json.dumps(body), ROUTING)
    except EventError:
        return
    assert found is None or found.image == image()
