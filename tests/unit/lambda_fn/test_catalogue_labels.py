"""Which labels people get to read: an attacker may have pushed them."""

import pytest

from lambda_fn.job.catalogue.labels import LONGEST_VALUE, MOST_BYTES, MOST_LABELS, readable

OF = "org.opencontainers.image"


def test_only_the_annotations_of_the_image_specification_are_kept() -> None:
    labels = {f"{OF}.source": "https://git.example.com", "maintainer": "x", f"{OF}": "x", f"{OF}.Source<": "x", 1: "x"}
    assert readable(labels) == {f"{OF}.source": "https://git.example.com"}


def test_an_earlier_source_has_precedence() -> None:
    assert readable({f"{OF}.title": "annotation"}, {f"{OF}.title": "label", f"{OF}.url": "u"}) == {
        f"{OF}.title": "annotation",
        f"{OF}.url": "u",
    }


@pytest.mark.parametrize("source", [None, [], "text", {f"{OF}.title": 7}, {f"{OF}.title": None}, {f"{OF}.title": " "}])
def test_what_is_not_a_text_is_left_out(source: object) -> None:
    assert readable(source) == {}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("two\nlines\tand\x00more", "two lines andmore"),
        ("safe\u202egnp.exe", "safegnp.exe"),
        ("\x1b[31mred", "[31mred"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("\ud800lone", "lone"),
        ("Grüße, 世界", "Grüße, 世界"),
        ("<script>&\"'", "<script>&\"'"),
    ],
)
def test_a_value_is_one_line_of_visible_characters(value: str, kept: str) -> None:
    assert readable({f"{OF}.title": value}) == {f"{OF}.title": kept}


def test_labels_are_bounded_in_length_and_number() -> None:
    found = readable({f"{OF}.a{number:02d}": "x" * 10_000_000 for number in range(100)})
    assert len(found) == MOST_LABELS
    assert {len(value) for value in found.values()} == {LONGEST_VALUE}
    assert all(value.endswith("…") for value in found.values())


def test_labels_are_bounded_in_bytes() -> None:
    found = readable({f"{OF}.a{number:02d}": "\U00010000" * LONGEST_VALUE for number in range(MOST_LABELS)})
    assert sum(len(value.encode()) for value in found.values()) == MOST_BYTES // 1_024 * 1_024
