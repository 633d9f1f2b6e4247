"""One page for all environments: a row for each, made of its findings. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

from cli.doctor.finding import Finding, Verdict
from lambda_fn.contract.times import instant_text

_WORST_FIRST = (Verdict.FAILED, Verdict.WARNING, Verdict.OK, Verdict.SKIPPED)
_STYLE = (
    "body{font:16px/1.4 system-ui,sans-serif;margin:2rem}table{border-collapse:collapse}"
    "th,td{border:1px solid #8888;padding:.4rem .6rem;text-align:left;vertical-align:top}"
    ".fail{background:#b00020;color:#fff}.warn{background:#ffd54a;color:#000}.ok{background:#1b7f3b;color:#fff}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One environment.

    Attributes:
        environment: Its name.
        domain: Of its registry.
        region: Of its stack.
        findings: What was found of its stack and its alarms.
    """

    environment: str
    domain: str
    region: str
    findings: Sequence[Finding]

    @property
    def verdict(self) -> Verdict:
        """The worst of its findings."""
        found = {finding.verdict for finding in self.findings}
        return next((verdict for verdict in _WORST_FIRST if verdict in found), Verdict.SKIPPED)

    @property
    def lines(self) -> list[str]:
        """What is wrong, with the fix; where nothing is, what is right."""
        shown = [finding for finding in self.findings if finding.verdict is self.verdict]
        if self.verdict in {Verdict.FAILED, Verdict.WARNING}:
            shown = [f for f in self.findings if f.verdict in {Verdict.FAILED, Verdict.WARNING}]
        return [f"{one.message}. Fix: {one.hint}" if one.hint else one.message for one in shown]

    def to_json(self) -> dict[str, Any]:
        """The row as JSON types."""
        return {
            "environment": self.environment,
            "domain": self.domain,
            "region": self.region,
            "verdict": self.verdict.value,
            "findings": [finding.to_json() for finding in self.findings],
        }


def counted(rows: Iterable[Row]) -> Mapping[str, int]:
    """How many environments have each verdict, the worst first."""
    verdicts = [row.verdict for row in rows]
    return {verdict.word: verdicts.count(verdict) for verdict in _WORST_FIRST if verdict in verdicts}


def page(rows: Sequence[Row], made_at: datetime) -> str:
    """An HTML document without scripts and without anything from another host."""
    head = "".join(f"<th>{title}</th>" for title in ("environment", "state", "domain", "region", "stack and alarms"))
    body = "\n".join(map(_row, sorted(rows, key=lambda row: _WORST_FIRST.index(row.verdict))))
    title = ", ".join(f"{count} {word}" for word, count in counted(rows).items())
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>\n'
        f"<h1>{title}</h1>\n<p>As of {instant_text(made_at)}</p>\n<table>\n<tr>{head}</tr>\n{body}\n</table>\n</html>\n"
    )


def _row(row: Row) -> str:
    cells = [escape(row.environment), row.verdict.word, escape(row.domain), escape(row.region)]
    classes = ["", f' class="{row.verdict.value}"', "", ""]
    texts = "<br>".join(map(escape, row.lines))
    written = "".join(f"<td{css}>{cell}</td>" for css, cell in zip(classes, cells, strict=True))
    return f"<tr>{written}<td>{texts}</td></tr>"
