import re
from pathlib import Path

from testbed.sandbox import operators

OPERATIONS = Path(__file__).parents[4] / "docs/operations.md"


def test_operators_may_get_what_the_document_asks_for_and_do_nothing_else() -> None:
    sentence = re.search(r"`view` in the namespace, and `get` there on (.*?)\. ", OPERATIONS.read_text(), re.DOTALL)
    assert sentence
    asked = set(re.findall("`([a-z0-9.]+)`", sentence[1])) - {"nlb", "elbv2.k8s.aws"}
    role, *bindings = operators.rights("registry")
    assert {resource for rule in role["rules"] for resource in rule["resources"]} == asked
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"get"}
    assert [binding["roleRef"]["name"] for binding in bindings] == ["view", role["metadata"]["name"]]
    assert {one["metadata"]["namespace"] for one in (role, *bindings)} == {"registry"}
