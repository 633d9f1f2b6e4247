"""Each rule of docs/request-handling.md has an id, and the tests carry exactly these ids."""

import json
import re

from lambda_fn.settings import Cache, Timeouts
from testbed.mutants.rules import DOCUMENT, documented, ids_of, marked, position
from testbed.mutants.score import SCORE

SOURCE = """
@pytest.mark.rule("R2", "F3")
@pytest.mark.parametrize("case", [pytest.param(1, marks=pytest.mark.rule("R4"))])
def test_x(): assert "R5 is prose" != 'XR6'
"""


def test_the_document_defines_each_id_once_and_in_order() -> None:
    rows = (
        (1, 14), (130, 131), (14, 49), (52, 70), (72, 80), (80, 83), (111, 116), (83, 85), (100, 104), (140, 149),
        (95, 96), (150, 159),
    )  # fmt: skip
    rules = (f"R{number}" for row in rows for number in range(*row))
    failures = (f"F{number}" for row in ((1, 28), (140, 144), (150, 153)) for number in range(*row))
    assert list(documented()) == [*rules, *failures]


def test_every_id_of_the_document_is_carried_by_a_test() -> None:
    assert [rule for rule in documented() if rule not in marked()] == []


def test_every_id_that_a_test_carries_is_in_the_document() -> None:
    assert {rule: files for rule, files in marked().items() if rule not in documented()} == {}


def test_the_ids_of_a_test_module_are_its_strings_that_are_an_id() -> None:
    assert ids_of(SOURCE) == {"R2", "F3", "R4"}
    assert ids_of('NAME = "R1"') == set(), "a module without the marker carries none"


def test_rules_come_before_failures_and_numbers_count_as_numbers() -> None:
    assert sorted(["F2", "R10", "F10", "R9"], key=position) == ["R9", "R10", "F2", "F10"]


def test_every_time_that_the_document_names_is_a_setting() -> None:
    known = {*dir(Timeouts), *Timeouts.model_fields, *Cache.model_fields, "drain_seconds"}
    assert set(re.findall(r"`(?:proxy\.)?(\w+_seconds)`", DOCUMENT.read_text(encoding="utf-8"))) <= known


def test_the_last_complete_run_killed_every_mutant_of_rules_that_are_still_documented() -> None:
    rules = json.loads(SCORE.read_text(encoding="utf-8"))["rules"]
    del rules["date"]
    assert set(rules) <= set(documented())
    assert {rule: count for rule, count in rules.items() if len(set(count.split(" of "))) > 1} == {}
