"""Which registry serves a name, and the names of a repository of ECR."""

from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambda_fn.settings import Registry
from lambda_fn.settings.routing import Routing
from tests.fakes.routes import Routes

FIRST, SECOND, REGION = "123456789012", "210987654321", "ap-southeast-2"
FIRSTS = partial(Registry, account=FIRST, region=REGION)
SECONDS = partial(Registry, account=SECOND, region=REGION)
ROUTING = Routing(
    [
        FIRSTS(repositories=("base/*",), strip="base/", prefix="platform/images/"),
        FIRSTS(repositories=("platform/*", "*"), renames={"tools/python": "platform/images/python"}),
        SECONDS(repositories=("base/special/*", "bare/*"), renames={"x/y": "bare/y"}),
        SECONDS(repositories=("one/*",), strip="one/"),
    ]
)


@pytest.mark.parametrize(
    ("name", "account", "ecr_name"),
    [
        ("base/python", FIRST, "platform/images/python"),
        ("base/special/python", SECOND, "base/special/python"),
        ("tools/python", FIRST, "platform/images/python"),
        ("platform/images/python", FIRST, "platform/images/python"),
        ("anything", FIRST, "anything"),
        ("x/y", SECOND, "bare/y"),
        ("one/xy", SECOND, "xy"),
    ],
)
def test_a_name_is_served_by_its_narrowest_route(name: str, account: str, ecr_name: str) -> None:
    found = ROUTING.find(name)
    assert found is not None
    assert (found.registry.account, found.ecr_name) == (account, ecr_name)


@pytest.mark.parametrize("name", ["one/x", f"base/{'x' * 241}"])
def test_a_name_that_ecr_cannot_have_is_not_served(name: str) -> None:
    assert ROUTING.find(name) is None


@pytest.mark.parametrize(
    ("account", "ecr_name", "names"),
    [
        (FIRST, "platform/images/python", ["tools/python", "base/python", "platform/images/python"]),
        # Under its other name a client gets a repository of the second registry.
        (FIRST, "platform/images/special/a", ["platform/images/special/a"]),
        (FIRST, "base/app", []),
        (SECOND, "bare/y", ["x/y", "bare/y", "one/bare/y"]),
        (SECOND, "anything", ["one/anything"]),
        ("999999999999", "anything", []),
    ],
)
def test_a_repository_of_ecr_is_shown_under_each_of_its_names(account: str, ecr_name: str, names: list[str]) -> None:
    assert [served.public_name for served in ROUTING.shown(account, REGION, ecr_name)] == names


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_every_name_is_found_as_defined_and_shown_for_its_repository(seed: int) -> None:
    routes = Routes(seed, (FIRST, SECOND), REGION)
    routing = Routing(routes.registries)
    for name in routes.names(150):
        found = routing.find(name)
        assert routes.expected(name) == ((found.registry.account, found.ecr_name) if found else None)
        if found:
            assert found in routing.shown(found.registry.account, REGION, found.ecr_name)


def test_the_digest_is_of_the_routes_and_not_of_their_order() -> None:
    given = FIRSTS(repositories=("a/*", "b/*"), renames={"team/x": "y/z"})
    other = SECONDS(repositories=("c",))
    found = Routing([given, other]).digest
    assert len(found) == 16
    assert Routing([other, given.model_copy(update={"repositories": ("b/*", "a/*")})]).digest == found
    changed = [
        given.model_copy(update=update)
        for update in (
            {"account": "999999999999"},
            {"region": "eu-west-1"},
            {"repositories": ("a/*",)},
            {"prefix": "images/"},
            {"renames": {"team/x": "y/zz"}},
        )
    ]
    assert len({found, *(Routing([each, other]).digest for each in changed)}) == 1 + len(changed)
