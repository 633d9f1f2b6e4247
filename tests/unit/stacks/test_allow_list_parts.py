"""An allow-list in parts denies what the whole one denies, and nothing else."""

import functools
import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacks.allow_list_parts import ROOM, chunks, spared

ACCOUNTS, REGIONS = (
    [f"{number:012}" for number in range(1, 21)],
    ("eu-west-1", "us-east-1", "ap-southeast-2", "sa-east-1"),
)


def arn(account: str, region: str, name: str) -> str:
    return f"arn:aws:ecr:{region}:{account}:repository/{name}"


def matches(pattern: str, resource: str) -> bool:
    """As IAM compares ARNs: `*` stands for any characters."""
    return expression(pattern).fullmatch(resource) is not None


@functools.cache
def expression(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*"))


def denied(parts: Sequence[Sequence[str]], resource: str) -> bool:
    """Whether a statement does not spare the resource."""
    return any(not any(matches(pattern, resource) for pattern in part) for part in parts)


def size(part: Sequence[str]) -> int:
    return sum(len(each) + 3 for each in part)


# Few letters, so that names begin alike, and one is the beginning of another.
names = st.text("ab/-", min_size=1, max_size=12)
patterns = st.one_of(names, names.map("{}*".format), names.map("*{}".format), st.builds("{}*{}".format, names, names))
places = st.tuples(st.sampled_from(ACCOUNTS[:3]), st.sampled_from(REGIONS[:2]))
repositories = st.builds(lambda place, name: arn(place[0], place[1], name), places, names)
lists = st.lists(
    st.builds(lambda place, text: arn(place[0], place[1], text), places, patterns), min_size=1, max_size=40
)


@settings(max_examples=400, deadline=None)
@given(
    allowed=lists,
    asked=st.lists(repositories, min_size=1, max_size=20),
    room=st.sampled_from([700, 1_000, 2_000, ROOM]),
)
def test_a_repository_is_denied_if_and_only_if_no_pattern_allows_it(
    allowed: list[str], asked: list[str], room: int
) -> None:
    parts = spared(allowed, room)
    if parts is None:
        return
    assert all(size(part) <= room for part in parts)
    for resource in [*asked, *(each.replace("*", "b") for each in allowed)]:
        assert denied(parts, resource) is not any(matches(pattern, resource) for pattern in allowed), resource


@pytest.mark.parametrize(
    ("accounts", "regions", "most"),
    [(20, 4, 8), (1, 1, 7), (1, 4, 7), (5, 1, 7)],
    ids=["20 accounts and 4 regions", "one registry", "4 regions of one account", "5 accounts"],
)
def test_500_names_take_few_parts_however_they_are_spread(accounts: int, regions: int, most: int) -> None:
    allowed = [
        arn(
            ACCOUNTS[number % accounts],
            REGIONS[number // accounts % regions],
            f"team-{number % 37:02}/service-{number:03}",
        )
        for number in range(500)
    ]
    parts = spared(allowed)
    assert parts is not None
    assert len(parts) <= most
    assert max(map(size, parts)) <= ROOM
    assert not any(denied(parts, each) for each in allowed)
    assert all(denied(parts, f"{each}x") for each in allowed)
    assert denied(parts, arn("999999999999", REGIONS[0], "team-01/service-001"))


def test_a_pattern_that_is_the_beginning_of_its_siblings_is_spared_beside_them() -> None:
    allowed = [
        arn(ACCOUNTS[0], REGIONS[0], name)
        for name in ("team-a*", *(f"team-a{n:03}" for n in range(300)), *(f"team-b{n:03}" for n in range(100)))
    ]
    parts = spared(allowed)
    assert parts is not None
    assert max(map(size, parts)) <= ROOM
    assert not any(denied(parts, each) for each in (*allowed, arn(ACCOUNTS[0], REGIONS[0], "team-a/other")))
    assert denied(parts, arn(ACCOUNTS[0], REGIONS[0], "team-b000/other"))
    assert denied(parts, arn(ACCOUNTS[0], REGIONS[0], "team-"))


def test_the_parts_do_not_depend_on_the_order_of_the_settings() -> None:
    allowed = [
        arn(account, region, f"team/service-{n}") for n in range(6) for account in ACCOUNTS for region in REGIONS
    ]
    assert spared(allowed) == spared(allowed[::-1])


def test_places_that_do_not_fit_into_one_part_have_no_parts() -> None:
    assert spared([arn(f"{number:012}", "eu-west-1", "a") for number in range(300)]) is None


def test_one_pattern_longer_than_a_part_has_no_parts() -> None:
    assert spared([arn(ACCOUNTS[0], "eu-west-1", "a" * 200), arn(ACCOUNTS[1], "eu-west-1", "b")], room=200) is None


@given(lists, st.sampled_from([300, 1_000, ROOM]))
def test_chunks_have_every_arn_once_in_its_order_and_room(allowed: list[str], room: int) -> None:
    found = chunks(allowed, room)
    assert [each for part in found for each in part] == allowed
    assert all(size(part) <= room for part in found)
