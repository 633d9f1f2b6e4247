"""The Range header, against a reading of RFC 9110 in slices."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.sandbox.cloud.ranges import Unsatisfiable, selected

SIZES = st.integers(min_value=1, max_value=300)
OFFSETS = st.integers(min_value=0, max_value=400)


@given(SIZES, OFFSETS, OFFSETS)
def test_a_range_selects_what_a_slice_does(size: int, first: int, length: int) -> None:
    content = list(range(size))[first : first + length + 1]
    header = f"bytes={first}-{first + length}"

    if content:
        assert list(selected(header, size) or ()) == content
    else:
        with pytest.raises(Unsatisfiable):
            selected(header, size)


@given(SIZES, st.integers(min_value=1, max_value=400))
def test_a_suffix_selects_the_end(size: int, length: int) -> None:
    assert list(selected(f"bytes=-{length}", size) or ()) == list(range(size))[-length:]


@pytest.mark.parametrize("header", [None, "", "bytes=-", "bytes=1", "bytes=1-2,4-5", "bytes=3-2", "pages=1-2"])
def test_what_is_no_single_range_selects_everything(header: str | None) -> None:
    assert selected(header, 10) is None


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=0-0", "bytes=-1"])
def test_an_empty_object_has_no_range(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        selected(header, 0)
