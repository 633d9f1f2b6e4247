"""The results of mutmut, counted by module, and the survivors that are accepted."""

from testbed.mutants.modules import Survivor, accepted, changed_lines, counted

DIFF = """--- lambda_fn/job/undo.py
+++ lambda_fn/job/undo.py
@@ -1,3 +1,3 @@
 def f():
-    return g(a, "B")
+    return g(None, "B")
"""


def test_the_score_counts_killed_mutants_by_module() -> None:
    names = ("undo.x_f__mutmut_1", "undo.x_f__mutmut_2", "undo.x_g__mutmut_1", "expiry.x_h__mutmut_1")
    statuses = dict(zip(names, ("killed", "survived", "timeout", "no tests"), strict=True))
    assert counted(statuses) == {"expiry": "0 of 1", "undo": "2 of 3"}


def test_a_survivor_is_the_line_before_and_after() -> None:
    assert changed_lines("x", DIFF) == Survivor("x", 'return g(a, "B")', 'return g(None, "B")')


def test_only_changed_wording_needs_no_reason() -> None:
    assert Survivor("x", 'fail("Say why")', 'fail("XXSay whyXX")').is_wording
    assert Survivor("x", 'fail("Say why")', 'fail("SAY WHY")').is_wording
    assert not Survivor("x", "a = 1", "a = 2").is_wording


def test_every_accepted_survivor_has_a_reason() -> None:
    assert accepted()
    assert all(len(reason) > 20 for reason in accepted().values())
