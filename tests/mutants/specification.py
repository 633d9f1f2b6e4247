"""docs/request-handling.md, read as what it is: numbered rules, each of which names the tests that hold it. Pure."""

import re

RULE = re.compile(r"^(\d+)\. ", re.MULTILINE)
TEST = re.compile(r"`(test_\w+)`")


def rules(document: str) -> dict[str, str]:
    """Number -> text of each rule."""
    parts = RULE.split(document)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def named_tests(text: str) -> list[str]:
    """The tests a rule names, in its order."""
    return TEST.findall(text)
