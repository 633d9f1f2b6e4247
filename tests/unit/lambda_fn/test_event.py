"""What may be asked of the Lambda, and what an unknown wish is answered with."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambda_fn.contract.errors import EventError
from lambda_fn.job.event import Request, parse

# https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-scheduled-event.html and what a schedule without input
# sends: its `detail` is a string.
RULE = {
    "version": "0",
    "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "123456789012",
    "time": "2026-11-23T09:00:00Z",
    "region": "ap-southeast-2",
    "resources": ["arn:aws:events:ap-southeast-2:123456789012:rule/refresh"],
    "detail": {},
}
SCHEDULE = {**RULE, "source": "aws.scheduler", "detail": "{}"}


@pytest.mark.parametrize("event", [{}, RULE, SCHEDULE], ids=["empty", "rule", "schedule"])
def test_a_scheduled_event_and_an_empty_one_are_a_normal_run(event: object) -> None:
    assert parse(event) == Request(dry_run=False, force_rollout=False, purge_cache=False)


@pytest.mark.parametrize(
    ("event", "request_"),
    [
        ({"dry_run": True}, Request(dry_run=True)),
        ({"force_rollout": True}, Request(force_rollout=True)),
        ({"dry_run": True, "force_rollout": True}, Request(dry_run=True, force_rollout=True)),
        ({"purge_cache": True}, Request(purge_cache=True)),
        ({"purge_cache": True, "dry_run": True}, Request(purge_cache=True, dry_run=True)),
        ({"canary": True}, Request(canary=True)),
        ({"dry_run": False}, Request()),
    ],
)
def test_options_are_taken(event: object, request_: Request) -> None:
    assert parse(event) == request_


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"dryrun": True}, 'the event has unknown keys: ["dryrun"]'),
        ({"dry_run": True, "x": 1, "b": 2}, 'the event has unknown keys: ["b", "x"]'),
        ({"dry_run": "yes"}, 'the event\'s dry_run = "yes" is neither true nor false'),
        ({"dry_run": 1}, "the event's dry_run = 1 is neither true nor false"),
        ({"force_rollout": None}, "the event's force_rollout = null is neither true nor false"),
        ({**RULE, "source": "aws.s3"}, "the event has unknown keys"),
        ({**RULE, "detail-type": "Object Created"}, "the event has unknown keys"),
        (
            {"canary": True, "dry_run": True},
            'the event {"canary": true, "dry_run": true} combines canary with other options',
        ),
        ({"source": {}}, 'the event has unknown keys: ["source"]'),
        ({"source": ["aws.events"], "detail-type": {}}, 'the event has unknown keys: ["detail-type", "source"]'),
        ({**RULE, "source": {"aws.events": True}}, "the event has unknown keys"),
        ({"dry_run": {"a": [{}]}}, 'the event\'s dry_run = {"a": [{}]} is neither true nor false'),
        (1.5, "the event 1.5 is not an object"),
        (True, "the event true is not an object"),
        ([], "the event [] is not an object"),
        ("refresh", 'the event "refresh" is not an object'),
        (None, "the event null is not an object"),
        ("x" * 5000, f'the event "{"x" * 199}... is not an object'),
    ],
)
def test_anything_else_is_an_error_that_lists_what_is_allowed(event: object, message: str) -> None:
    with pytest.raises(EventError) as caught:
        parse(event)
    assert str(caught.value).startswith(message)
    assert str(caught.value).endswith(
        ". Allowed are {} for a normal run, EventBridge's own scheduled event, and an object with any of "
        '"dry_run": true|false, "force_rollout": true|false, "purge_cache": true|false, "canary": true|false'
    )


KEYS = st.sampled_from(["source", "detail-type", "detail", "canary", "dry_run", "force_rollout", ""]) | st.text()
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["aws.events", "Scheduled Event"])
EVENTS = st.recursive(
    SCALARS | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None)
@given(EVENTS)
def test_any_json_value_is_a_request_or_the_documented_error(event: object) -> None:
    try:
        request = parse(event)
    except EventError as error:
        assert " Allowed are {} for a normal run" in str(error)  # noqa: PT017 - either outcome is right
    else:
        assert isinstance(request, Request)


@pytest.mark.parametrize("key", ["dry_run", "source"])
def test_a_value_nested_too_deeply_to_be_shown_gets_the_documented_error(key: str) -> None:
    nested: object = {}
    for _ in range(200_000):
        nested = [nested]
    with pytest.raises(EventError, match="Allowed are"):
        parse({key: nested})
    with pytest.raises(EventError, match=r"the event \(nested too deeply to be shown\) is not an object"):
        parse(nested)
