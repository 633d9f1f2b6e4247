"""docs/request-handling.md is the specification of the proxy: each of its rules is held by tests that exist."""

from tests.mutants.catalogue import places, rules
from tests.mutants.specification import named_tests


def test_the_rules_are_numbered_without_a_gap() -> None:
    assert list(rules()) == [str(number) for number in range(1, len(rules()) + 1)]


def test_every_rule_names_a_test_and_every_test_it_names_exists() -> None:
    for number, text in rules().items():
        named = set(named_tests(text))
        assert named, f"rule {number} names no test"
        assert named <= set(places()), f"rule {number} names tests that do not exist: {named - set(places())}"
