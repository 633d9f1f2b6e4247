"""The form of a repository's name, against AWS's own text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_fn.contract.repository_name import FORM, NAME
from tests.fakes.repository_names import INVALID, VALID

OF_AWS = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")
"""Of the parameter `repositoryName` in ECR's API reference, which allows 2 to 256 characters."""


@pytest.mark.parametrize("name", VALID)
def test_a_name_of_ecr_is_valid(name: str) -> None:
    assert re.fullmatch(NAME, name)


@pytest.mark.parametrize("name", [*INVALID, "", "team/", "/team", "team//app", "team/app\n"])
def test_any_other_name_is_not(name: str) -> None:
    assert not re.fullmatch(NAME, name)


@given(st.text("ab0._-/A", max_size=12) | st.lists(st.sampled_from(["ab", ".", "_", "-", "/"])).map("".join))
def test_the_form_is_that_of_aws(name: str) -> None:
    assert bool(re.fullmatch(FORM, name)) is bool(OF_AWS.fullmatch(name))
    assert bool(re.fullmatch(NAME, name)) is bool(OF_AWS.fullmatch(name) and len(name) in range(2, 257))


@pytest.mark.parametrize("word", ["a", "a-", "a__", "a/", "a--", "ab.ab_ab-ab/"])
def test_a_long_text_that_is_not_a_name_is_refused_at_once(word: str) -> None:
    """More ways to match than one would take longer than any test may."""
    assert not re.fullmatch(FORM, word * 20_000 + "!")
