"""Prints findings: each as soon as it is known, or all of them as JSON."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator

from cli.doctor.finding import Finding, Verdict
from cli.doctor.terminal import SlowCheckNotice, render
from cli.terminal import console

Examination = Callable[[Callable[[str], None]], Iterator[Finding]]
"""Yields findings, and names each check to the function that it is given, before the check works."""

_NOT_WRONG = frozenset({Verdict.OK, Verdict.SKIPPED})


def report(examination: Examination, *, as_json: bool, quiet: bool = False) -> Counter[Verdict]:
    """Print the findings; returns the number of each verdict.

    Args:
        examination: What is examined.
        as_json: Print one list of all at the end.
        quiet: Print only what is wrong.
    """
    notice = SlowCheckNotice(_write_notice)
    try:
        return _print(examination(notice.start), as_json=as_json, quiet=quiet)
    finally:
        notice.stop()


def _print(findings: Iterator[Finding], *, as_json: bool, quiet: bool) -> Counter[Verdict]:
    found: list[Finding] = []
    out = console()
    for finding in findings:
        found.append(finding)
        if not as_json and _is_shown(finding, quiet=quiet):
            out.print(render(finding))
    verdicts = Counter(finding.verdict for finding in found)
    if as_json:
        out.print(json.dumps([one.to_json() for one in found if _is_shown(one, quiet=quiet)], indent=2))
    elif not quiet:
        out.print(_summary(verdicts))
    return verdicts


def _is_shown(finding: Finding, *, quiet: bool) -> bool:
    return not quiet or finding.verdict not in _NOT_WRONG


def _summary(verdicts: Counter[Verdict]) -> str:
    return ", ".join(f"{verdicts[verdict]} {verdict.word}" for verdict in Verdict if verdicts[verdict])


def _write_notice(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
