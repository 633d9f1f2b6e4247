"""The alerts for Prometheus as a table in docs/operations.md: `python -m scripts.alerts` writes it."""

from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
ALERTS = ROOT / "monitoring/alerts.yaml"
DOCUMENT = ROOT / "docs/operations.md"
_BEGIN, _END = "<!-- generated: alerts -->", "<!-- end of generated -->"
_HEAD = "| alert | severity | meaning | do |\n| --- | --- | --- | --- |"
_DOCUMENTS = "docs/operations.md"


def written(document: str, alerts: str) -> str:
    """The document with the table of these alerts, which are the text of a rules file."""
    before, rest = document.split(_BEGIN, 1)
    rules = [rule for group in yaml.safe_load(alerts)["groups"] for rule in group["rules"]]
    rows = "\n".join(_row(rule["alert"], rule["labels"]["severity"], rule["annotations"]) for rule in rules)
    return f"{before}{_BEGIN}\n\n{_HEAD}\n{rows}\n\n{_END}{rest.split(_END, 1)[1]}"


def main() -> None:
    """Write the document."""
    text = written(DOCUMENT.read_text("utf-8"), ALERTS.read_text("utf-8"))
    DOCUMENT.write_text(text, encoding="utf-8")


def _row(name: str, severity: str, texts: dict[str, str]) -> str:
    section = texts["runbook"].removeprefix(_DOCUMENTS)
    return f"| [{name}]({section}) | {severity} | {texts['summary']} | {texts['description']} |"


if __name__ == "__main__":
    main()
