"""The templates of the reference configurations are the files that were reviewed."""

import re
from pathlib import Path

import pytest

from tests.template import snapshots


@pytest.mark.parametrize("name", snapshots.NAMES)
def test_the_template_is_the_reviewed_one(name: str) -> None:
    difference = snapshots.difference(name)
    assert not difference, f"`make snapshots` writes the file anew; review what changed:\n{difference}"


def test_a_reviewed_template_holds_no_digest_of_code() -> None:
    assert not re.search(r"[0-9a-f]{32}", "".join(map(snapshots.snapshot, snapshots.NAMES)))


def test_a_changed_template_is_shown_as_the_lines_that_went_and_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = snapshots.NAMES[0]
    monkeypatch.setattr(snapshots, "FOLDER", tmp_path)
    snapshots.path(name).write_text(snapshots.snapshot(name).replace('"Timeout": 420', '"Timeout": 421'))
    shown = snapshots.difference(name)
    assert '-        "Timeout": 421' in shown
    assert '+        "Timeout": 420' in shown
