from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_fn.contract.repository_pattern import RepositoryPattern

TEXTS = st.text("ab./*", min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("team/*", "team/app", True),
        ("team/*", "team/a/b", True),
        ("team/*", "team", False),
        ("a.b", "axb", False),
        ("*", "anything/at/all", True),
        ("*/app", "team/app", True),
        ("team/*", "team/*", True),
        ("team/a*", "team/*", False),
    ],
)
def test_a_star_stands_for_any_characters_and_a_dot_for_itself(pattern: str, name: str, matches: bool) -> None:  # noqa: FBT001 - a row of the table
    assert RepositoryPattern(pattern).matches(name) is matches


@given(TEXTS, TEXTS)
def test_a_pattern_matches_as_a_shell_does(pattern: str, name: str) -> None:
    assert RepositoryPattern(pattern).matches(name) is fnmatchcase(name, pattern)


def test_the_arn_keeps_the_star() -> None:
    arn = RepositoryPattern("team/*").arn(partition="aws-cn", region="cn-north-1", account="123456789012")
    assert arn == "arn:aws-cn:ecr:cn-north-1:123456789012:repository/team/*"
