"""docs/request-handling.md is the specification of the proxy: its rules and its table are held by tests that exist."""

import re

from lambda_fn.settings.timeouts import Timeouts
from testbed.mutants.catalogue import bad_hours, places, rules
from testbed.mutants.specification import named_tests


def test_the_rules_are_numbered_without_a_gap_and_so_are_the_rows() -> None:
    numbered = [str(number) for number in range(1, len(rules()) - len(bad_hours()) + 1)]
    assert list(rules()) == [*numbered, *(f"B{number}" for number in range(1, len(bad_hours()) + 1))]
    assert bad_hours()


def test_every_rule_names_a_test_and_every_test_it_names_exists() -> None:
    for number, text in rules().items():
        named = set(named_tests(text))
        assert named, f"rule {number} names no test"
        assert named <= set(places()), f"rule {number} names tests that do not exist: {named - set(places())}"


def test_every_row_says_what_becomes_of_what_is_kept_of_the_rest_and_of_the_pod() -> None:
    for name, hour in bad_hours().items():
        assert hour.kept.startswith(("200", "there is nothing yet")), name
        assert re.search(r"\b[2-5]\d\d\b", hour.otherwise), name
        assert all((hour.case, hour.within, hour.pod)), name


def test_what_bounds_a_bad_hour_is_a_setting_that_exists() -> None:
    for name, hour in bad_hours().items():
        for bound in re.findall(r"`(\w+_seconds)`", hour.within + hour.otherwise):
            assert hasattr(Timeouts(), bound), f"{name}: {bound}"
