"""Distinct texts are counted exactly, and estimated where there are many, in bounded memory."""

from collections.abc import Iterable

import pytest

from cli.usage.distinct import KEPT, Distinct


def addresses(first: int, end: int) -> list[str]:
    return [f"2001:db8::{number:x}" for number in range(first, end)]


def counted(texts: Iterable[str]) -> Distinct:
    found = Distinct()
    for text in texts:
        found.add(text)
    return found


def test_a_number_is_exact_whatever_the_order_and_however_often_each_comes() -> None:
    texts = addresses(0, KEPT - 1)
    found = counted([*texts, *reversed(texts), *texts[::7]])
    assert (found.number, found.is_exact) == (KEPT - 1, True)
    assert (Distinct().number, Distinct().is_exact) == (0, True)


@pytest.mark.parametrize("number", [KEPT, 30_000, 200_000])
def test_a_large_number_is_an_estimate_within_three_standard_errors_in_memory_that_does_not_grow(number: int) -> None:
    found = counted(addresses(0, number))
    assert not found.is_exact
    assert found.number == pytest.approx(number, rel=0.03)
    assert len(found.hashes) * found.hashes.itemsize == 80_000


def test_texts_of_several_parts_are_counted_once() -> None:
    parts = [counted(addresses(0, 3000)), counted(addresses(2000, 5000)), Distinct()]
    assert (Distinct.of_all(parts).number, Distinct.of_all(parts).is_exact) == (5000, True)
    large = [counted(addresses(0, 60_000)), counted(addresses(50_000, 90_000))]
    assert Distinct.of_all(large).number == pytest.approx(90_000, rel=0.03)
    assert Distinct.of_all(large).hashes == counted(addresses(0, 90_000)).hashes


def test_a_text_that_is_not_valid_unicode_is_counted() -> None:
    assert counted(["\ud800", "\ud800"]).number == 1
