"""Routes of names, and the table in which they are looked up."""

import re
from fnmatch import fnmatchcase
from itertools import combinations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lambda_fn.contract.repository_name import NAME
from lambda_fn.contract.route_table import table
from lambda_fn.contract.routes import Route, overlap

CHARACTERS = "ab/-"
NAMES = st.text(CHARACTERS, min_size=2, max_size=8)
PATTERNS = st.text(f"{CHARACTERS}*", min_size=1, max_size=6)
FOLDERS = st.lists(st.sampled_from(["a/", "b/", "a-b/"]), max_size=2).map("".join)


@st.composite
def routes(draw: st.DrawFn) -> Route:
    strip = draw(FOLDERS)
    return Route(strip + draw(PATTERNS), strip, draw(st.sampled_from(["", "a/", "b/a/", "b-"])))


@pytest.mark.parametrize(
    ("route", "public_name", "ecr_name"),
    [
        (Route("team/*"), "team/app", "team/app"),
        (Route("base/*", "base/", "platform/images/"), "base/python", "platform/images/python"),
        (Route("base/*", "base/"), "base/python", "python"),
        (Route("*", "", "acme-"), "api", "acme-api"),
        (Route("base/python", "base/python", "platform/python"), "base/python", "platform/python"),
        (Route("base/*", "base/"), "base/x", None),
        (Route("*", "", "images/"), "a" * 250, None),
        (Route("base/*", "base/", "platform/"), "team/app", None),
        (Route("team/*"), "team/a..b", None),
        (Route("*", "", "acme-"), "-api", None),
        (Route("*", "", "acme/"), "-api", None),
    ],
)
def test_a_public_name_becomes_a_name_of_ecr(route: Route, public_name: str, ecr_name: str | None) -> None:
    assert route.ecr_name(public_name) == ecr_name


@given(routes(), NAMES)
def test_the_public_name_of_a_name_of_ecr_leads_back_to_it(route: Route, name: str) -> None:
    ecr_name = route.ecr_name(name)
    if ecr_name is not None:
        assert route.public_name(ecr_name) == name
    public_name = route.public_name(name)
    if public_name is not None:
        assert route.ecr_name(public_name) == name


@given(routes(), NAMES)
def test_the_pattern_for_iam_matches_the_names_that_the_route_reaches_and_no_others(route: Route, name: str) -> None:
    public_name = route.strip + name[len(route.prefix) :]
    are_valid = re.fullmatch(NAME, name) and re.fullmatch(NAME, public_name)
    matches = fnmatchcase(name, route.ecr_pattern)
    assert (matches and are_valid is not None) is (route.public_name(name) is not None)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a/*", "b/*", None),
        ("*-a", "*-b", None),
        ("a/*", "a/b/*", "around"),
        ("a/b", "a/*", "inside"),
        ("a*", "*a", "partial"),
        ("*-prod", "team/*", "partial"),
        ("a*a", "aa", "around"),
        ("a*a", "a", None),
        ("a*", "a**", "equal"),
        ("*", "*", "equal"),
    ],
)
def test_patterns_overlap_as_they_meet(one: str, other: str, expected: str | None) -> None:
    assert overlap(one, other) == expected


@given(PATTERNS, PATTERNS, st.text(CHARACTERS, max_size=8))
def test_patterns_that_share_a_name_overlap(one: str, other: str, name: str) -> None:
    if fnmatchcase(name, one) and fnmatchcase(name, other):
        assert overlap(one, other)
    if overlap(one, other) in {"inside", "equal"} and fnmatchcase(name, one):
        assert fnmatchcase(name, other)


@given(PATTERNS, PATTERNS)
def test_patterns_that_overlap_share_a_name(one: str, other: str) -> None:
    """The shortest names of both: no longer than both patterns together."""
    assume(len(one) + len(other) <= 5)
    found = {""}
    names = {""}
    for _ in range(len(one) + len(other)):
        found = {name + character for name in found for character in CHARACTERS}
        names |= found
    assert bool(overlap(one, other)) is any(fnmatchcase(n, one) and fnmatchcase(n, other) for n in names)


def narrowest(patterns: list[tuple[str, int]], name: str) -> int | None:
    """What serves a name, found without a table: of all patterns that match, one that no other is within."""
    matching = [(text, number) for text, number in patterns if fnmatchcase(name, text)]
    for text, number in matching:
        if not any(other != text and overlap(other, text) == "inside" for other, _ in matching):
            return number
    return None


@given(st.lists(st.tuples(PATTERNS, st.integers(0, 2)), min_size=1, max_size=6), st.lists(NAMES, max_size=20))
def test_the_table_finds_the_narrowest_pattern(patterns: list[tuple[str, int]], names: list[str]) -> None:
    for (one, first), (other, second) in combinations(patterns, 2):
        assume(first == second or overlap(one, other) not in {"equal", "partial"})
    found = table(patterns)
    for name in names:
        assert found.find(name) == narrowest(patterns, name)


def test_500_routes_are_looked_up_without_an_expression() -> None:
    found = table((f"team{number}/*", number) for number in range(500))
    assert all(not folder.tried for folder in found.folders.values())
    assert [found.find("team7/a/b"), found.find("team499/a"), found.find("team500/a")] == [7, 499, None]


def test_a_pattern_that_another_one_of_its_table_contains_is_not_tried() -> None:
    assert not table([("team/*", 1), ("*-prod", 1), ("*", 2)]).folders["team/"].tried


def test_of_a_folder_the_patterns_around_it_are_tried_too() -> None:
    found = table([("team/a/*", 1), ("team/*-prod", 1), ("*", 2)])
    assert [found.find("team/b-prod"), found.find("team/b"), found.find("team/a/b-prod")] == [1, 2, 1]
