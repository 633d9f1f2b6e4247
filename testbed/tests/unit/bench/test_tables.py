"""Tables, and the document they go into."""

from dataclasses import replace
from pathlib import Path

import pytest

from testbed.bench import tables
from testbed.bench.plan import FULL, ONCE, SHORT, Plan
from testbed.bench.present import DOCUMENT, refresh_document
from testbed.bench.results import FOLDER, folder_of, read
from testbed.bench.samples import Gap, Sample
from testbed.bench.tables import TABLES, markdown
from testbed.generated import filled, written
from testbed.tests.unit.bench.results import MACHINE, results

RATES = TABLES["requests"][0]


def rate(contestant: str, number: int, value: float) -> Sample:
    return Sample(contestant, "requests", "blob of 10 kB", "requests_per_second", number, value)


def test_a_table_has_the_ratio_to_the_limit_first_then_median_and_range() -> None:
    measured = results(rate("frontdoor", 0, 20_000), rate("frontdoor", 1, 30_000), rate("limit", 0, 40_000))
    row = markdown(measured, RATES).splitlines()[-1]
    assert row == "| blob of 10 kB | **2.00x** · 25.0 k/s (20.0 k/s to 30.0 k/s) | 40.0 k/s |"


def test_a_contestant_without_measurements_has_no_column() -> None:
    head = markdown(results(rate("frontdoor", 0, 1)), RATES).splitlines()[0]
    assert "ours" in head
    assert "plain" not in head


def test_a_table_without_figures_is_left_out() -> None:
    assert markdown(results(), RATES) == ""


def test_a_missed_target_is_bold() -> None:
    measured = results(rate("frontdoor", 0, 10), rate("limit", 0, 30))
    (row,) = (line for line in tables.verdict_table(measured).splitlines() if "of the limit" in line)
    assert row.endswith("| at most 1.25x | 3.00x | **no** |")


def test_a_gap_is_reported_with_its_reason() -> None:
    assert "| plain | tags | no |" in tables.gap_table(results(gaps=(Gap("plain", "tags", "no"),)))


def test_a_run_on_a_busy_machine_says_what_not_to_read() -> None:
    assert "none of the times" not in tables.machine_table(results())
    assert "none of the times" in tables.machine_table(results(machine=replace(MACHINE, busy_percent=60)))


def test_only_what_stands_between_markers_is_replaced() -> None:
    document = "before\n<!-- generated: targets -->\nold\n<!-- end of generated -->\nafter 1.5x\n"
    after = "before\n<!-- generated: targets -->\nnew\n<!-- end of generated -->\nafter 1.5x\n"
    assert filled(document, {"targets": "new"}) == after


@pytest.mark.parametrize(("plan", "shown"), [(FULL, "new"), (ONCE, "new"), (SHORT, "old")])
def test_a_run_that_leaves_things_out_changes_neither_the_document_nor_its_results(
    tmp_path: Path, plan: Plan, shown: str
) -> None:
    document = tmp_path / "performance.md"
    document.write_text("<!-- generated: gaps -->\nold\n<!-- end of generated -->\n", encoding="utf-8")
    measured = replace(results(gaps=(Gap("plain", "tags", "new"),)), plan=plan)
    refresh_document(measured, document)
    assert shown in document.read_text(encoding="utf-8")
    assert (folder_of(plan.name) == FOLDER) == (shown == "new")


def test_an_unknown_marker_is_an_error() -> None:
    with pytest.raises(KeyError):
        filled("<!-- generated: nothing -->\n<!-- end of generated -->\n", {})


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    measured = results(rate("frontdoor", 0, 1.5), gaps=(Gap("plain", "tags", "no"),))
    measured.write(tmp_path)
    again = read(tmp_path)
    assert (again.plan, again.machine, list(again.samples), list(again.gaps)) == (
        measured.plan,
        measured.machine,
        list(measured.samples),
        list(measured.gaps),
    )


def test_the_document_shows_what_the_results_say() -> None:
    """One command writes both; a manual edit of one fails here."""
    measured = read(FOLDER)
    assert measured.published
    document = DOCUMENT.read_text(encoding="utf-8")
    assert filled(document, written(document) | tables.blocks(measured)) == document
    assert all(f"<!-- generated: {name} -->" in document for name in tables.blocks(measured))
