"""The folder of checks: ids, order, and what happens to the checks that need one that failed."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import EndpointConnectionError

from cli.doctor import checks
from cli.doctor.check import Category, Check, in_order
from cli.doctor.checks import all_checks
from cli.doctor.context import CheckContext
from cli.doctor.examination import examine
from cli.doctor.finding import Finding, Verdict, failed, ok
from lambda_fn.contract.errors import ClusterError
from tests.unit.doctor.account import context


def test_every_module_in_the_folder_is_one_check_with_its_name() -> None:
    (folder,) = map(Path, checks.__path__)
    modules = {file.stem.replace("_", "-") for file in folder.glob("*.py")} - {"--init--"}
    assert sorted(check.id for check in all_checks()) == sorted(modules)


def test_every_check_that_is_needed_exists_and_has_the_same_category() -> None:
    by_id = {check.id: check for check in all_checks()}
    for check in by_id.values():
        assert {by_id[needed].category for needed in check.needs} <= {check.category}


def test_the_order_is_by_category_and_each_check_follows_those_it_needs() -> None:
    ordered = all_checks()
    assert [check.category for check in ordered] == sorted(
        (check.category for check in ordered), key=list(Category).index
    )
    position = {check.id: number for number, check in enumerate(ordered)}
    assert all(position[needed] < position[check.id] for check in ordered for needed in check.needs)


def test_every_section_that_a_hint_names_is_a_heading_of_that_document() -> None:
    root = Path(__file__).parents[3]
    source = "".join(file.read_text() for file in (root / "cli").rglob("*.py"))
    named = set(re.findall(r"(docs/[a-z]+\.md), ([A-Z][A-Za-z ]+)", source))
    assert named, "no hint names a section: the expression is wrong"
    for document, section in named:
        headings = re.findall(r"^#+ (.+)$", (root / document).read_text(), re.MULTILINE)
        assert section in headings, f"{document} has no section {section}"


def check(name: str, *found: Finding | Exception, needs: tuple[str, ...] = ()) -> Check:
    def run(_: CheckContext) -> Iterator[Finding]:
        for one in found:
            if isinstance(one, Exception):
                raise one
            yield one

    return Check(name, Category.AWS, run, needs)


def ids(*listed: Check) -> list[tuple[str, Verdict]]:
    return [(one.check, one.verdict) for one in examine(in_order(listed), context())]


def test_a_fatal_finding_stops_the_checks_that_need_it_and_theirs() -> None:
    fatal = check("a", failed("no", "fix", fatal=True))
    assert ids(fatal, check("b", ok("b"), needs=("a",)), check("c", ok("c"), needs=("b",)), check("d", ok("d"))) == [
        ("a", Verdict.FAILED),
        ("d", Verdict.OK),
    ]


def test_a_failure_that_is_not_fatal_stops_no_check() -> None:
    listed = (check("a", failed("no", "fix")), check("b", ok("b"), needs=("a",)))
    assert ids(*listed) == [("a", Verdict.FAILED), ("b", Verdict.OK)]


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (EndpointConnectionError(endpoint_url="https://sqs.example"), Verdict.WARNING),
        (ClusterError("no answer"), Verdict.FAILED),
    ],
)
def test_an_error_in_one_check_is_its_finding_and_the_others_go_on(error: Exception, verdict: Verdict) -> None:
    listed = (check("a", ok("first"), error), check("b", ok("b"), needs=("a",)), check("c", ok("c")))
    assert ids(*listed) == [("a", Verdict.OK), ("a", verdict), ("c", Verdict.OK)]


def test_the_check_that_works_is_announced_before_each_of_its_findings() -> None:
    started: list[str] = []
    listed = (check("a", ok("1"), ok("2")), check("b", ok("3")))
    assert [(one.message, started[-1]) for one in examine(listed, context(), started.append)] == [
        ("1", "a"),
        ("2", "a"),
        ("3", "b"),
    ]
