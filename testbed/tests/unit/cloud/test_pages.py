"""Cursors of lists."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.sandbox.cloud.pages import cursor, position

REGION = "eu-west-1"
NAMES = st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789._-/", min_size=1)


@given(NAMES)
def test_a_cursor_has_every_difficult_character_and_leads_back(name: str) -> None:
    assert {"+", "/", "="} <= set(cursor(name, REGION))
    assert position(cursor(name, REGION), REGION) == name


@pytest.mark.parametrize("forged", ["v1.4", "YWJj", "+/++YQ"])
def test_a_forged_cursor_is_refused(forged: str) -> None:
    with pytest.raises(ValueError, match="not"):
        position(forged, REGION)


def test_a_cursor_of_another_region_is_refused() -> None:
    with pytest.raises(ValueError, match="not a cursor of this registry"):
        position(cursor("v1.4", "eu-west-2"), REGION)
