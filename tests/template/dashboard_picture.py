"""`docs/dashboard.svg`: the titles, lines and layout of the dashboard in the template, with sample values.

`make docs` writes it; a test compares it with the dashboard in the template.
"""

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from tests.template import configurations
from tests.template.synthesis import only, plain

PICTURE = configurations.ROOT / "docs" / "dashboard.svg"
COLUMN, ROW, GAP = 40, 34, 6
COLOURS = ("#1f77b4", "#ff7f0e", "#2ca02c")
HOURS = 48

# The sample: the refresh in the middle fails, so do its two retries, and the next one succeeds.
_RUNS = range(0, HOURS, 4)
_FAILED_AT = 24
SAMPLE: Mapping[tuple[str, str], Sequence[tuple[float, float]]] = {
    ("Token lifetime left", "hours"): [
        point
        for at in _RUNS
        if at != _FAILED_AT
        for point in ((at, 12), (at + (8 if at + 4 == _FAILED_AT else 4), 4 if at + 4 == _FAILED_AT else 8))
    ],
    ("Refresh runs per hour", "runs"): [(at, 3 if at == _FAILED_AT else 1) for at in _RUNS],
    ("Refresh runs per hour", "succeeded"): [(at, 0 if at == _FAILED_AT else 1) for at in _RUNS],
    ("Rollouts per hour", "started"): [(at, 1 if at == 8 else 0) for at in _RUNS],
    ("Rollouts per hour", "stuck"): [(at, 0) for at in _RUNS],
    ("Errors", "run errors"): [(at, 3 if at == _FAILED_AT else 0) for at in _RUNS],
    ("Errors", "dropped events"): [(at, 1 if at == _FAILED_AT else 0) for at in _RUNS],
    ("Errors", "in the DLQ"): [(0, 0), (_FAILED_AT, 0), (_FAILED_AT, 1), (36, 1), (36, 0), (HOURS, 0)],
    ("Ready pods", "after the last run"): [(0, 2), (HOURS, 2)],
    ("Ready pods", "evicted or out of memory"): [(at, 0) for at in _RUNS],
    ("Run duration", "seconds"): [(at, 31 if at == 8 else 1.2) for at in _RUNS],
    # Four canary pulls in an hour and one after each run; in one hour the domain did not answer.
    ("Canary pulls per hour", "pulls"): [(at, 5 if at in _RUNS else 4) for at in range(HOURS)],
    ("Canary pulls per hour", "succeeded"): [(at, 1 if at == 31 else 5 if at in _RUNS else 4) for at in range(HOURS)],
    # Builds in office hours; the lifecycle policy deletes at night.
    ("Deletions in ECR", "deletions"): [(at, 5 if at % 24 == 2 else 0) for at in range(HOURS)],
    ("Deletions in ECR", "seconds that the oldest one waits"): [(0, 0), (HOURS, 0)],
    ("ECR's events", "events"): [(at, 12 if at % 24 in range(8, 18) else 0) for at in range(HOURS)],
    ("ECR's events", "in work or to be tried again"): [(0, 0), (HOURS, 0)],
    ("ECR's events", "in the watcher's DLQ"): [(0, 0), (HOURS, 0)],
}
"""Hours and values of each line, by the title of its graph and its label."""


def body(name: str = "watched") -> dict[str, Any]:
    """The dashboard of a configuration, as CloudWatch receives it."""
    found: dict[str, Any] = json.loads(plain(only(name, "AWS::CloudWatch::Dashboard")["DashboardBody"]))
    return found


def svg(dashboard: Mapping[str, Any]) -> str:
    """The picture of a dashboard.

    Raises:
        KeyError: It has a line without sample values.
    """
    widgets = dashboard["widgets"]
    width = max(w["x"] + w["width"] for w in widgets) * COLUMN
    height = max(w["y"] + w["height"] for w in widgets) * ROW + ROW
    drawn = [_widget(widget) for widget in widgets]
    font = 'font-family="system-ui, Helvetica, Arial, sans-serif" font-size="11"'
    note = "Drawn from the dashboard in the template. The values are a sample: two days, one failed refresh."
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {font}>',
            f'<rect width="{width}" height="{height}" fill="#f2f3f3"/>',
            *drawn,
            f'<text x="{GAP}" y="{height - GAP * 2}" fill="#555">{escape(note)}</text>',
            "</svg>\n",
        ]
    )


def _widget(widget: Mapping[str, Any]) -> str:
    x, y = widget["x"] * COLUMN + GAP, widget["y"] * ROW + GAP
    width, height = widget["width"] * COLUMN - 2 * GAP, widget["height"] * ROW - 2 * GAP
    properties = widget["properties"]
    inside = _alarms(properties, width) if widget["type"] == "alarm" else _graph(properties, width, height)
    return "\n".join(
        [
            f'<g transform="translate({x} {y})">',
            f'<rect width="{width}" height="{height}" rx="4" fill="#fff" stroke="#d5dbdb"/>',
            f'<text x="10" y="18" font-size="13" font-weight="600">{escape(properties["title"])}</text>',
            *inside,
            "</g>",
        ]
    )


def _alarms(properties: Mapping[str, Any], width: int) -> list[str]:
    """One box for each alarm, named as in the stack: `${AlarmsNoRefresh35F434A7.Arn}` is NoRefresh."""
    names = [arn.removeprefix("${Alarms").removesuffix(".Arn}")[:-8] for arn in properties["alarms"]]
    step = (width - 20) / len(names)
    boxes = []
    for number, name in enumerate(names):
        x = 10 + number * step
        boxes += [
            f'<rect x="{x:.1f}" y="32" width="{step - 6:.1f}" height="44" rx="3" fill="#e9f5ec" stroke="#2ca02c"/>',
            f'<text x="{x + (step - 6) / 2:.1f}" y="58" text-anchor="middle">{escape(name)}</text>',
        ]
    return boxes


def _graph(properties: Mapping[str, Any], width: int, height: int) -> list[str]:
    labels = [last["label"] for *_, last in properties["metrics"] if isinstance(last, dict) and "label" in last]
    lines = properties.get("annotations", {}).get("horizontal", [])
    samples = {label: SAMPLE[properties["title"], label] for label in labels}
    values = [value for sample in samples.values() for _, value in sample] + [line["value"] for line in lines]
    left, top, right, bottom = 34, 32, width - 10, height - 32
    highest = max(1, *values) * 1.1

    def place(hours: float, value: float) -> str:
        across = left + (right - left) * hours / HOURS
        return f"{across:.1f} {bottom - (bottom - top) * value / highest:.1f}"

    drawn = [f'<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="#95a5a6"/>']
    greatest = highest / 1.1
    down_to_it = float(place(0, greatest).split()[1]) + 4
    drawn += [f'<text x="4" y="{down_to_it:.1f}">{greatest:g}</text>', f'<text x="4" y="{bottom}">0</text>']
    for line in lines:
        start, end = place(0, line["value"]), place(HOURS, line["value"])
        across, down = end.split()
        drawn.append(f'<path d="M{start}L{end}" stroke="#d62728" stroke-dasharray="5 4"/>')
        drawn.append(
            f'<text x="{across}" y="{float(down) - 4:.1f}" fill="#d62728" text-anchor="end">'
            f"{escape(line['label'])}</text>"
        )
    legend = [left]
    for label in labels:
        legend.append(legend[-1] + 20 + 6 * len(label))
    for number, (label, sample) in enumerate(samples.items()):
        colour = COLOURS[number]
        path = "L".join(place(*point) for point in sample)
        drawn.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
        drawn.append(f'<text x="{legend[number]}" y="{height - 10}" fill="{colour}">■ {escape(label)}</text>')
    return drawn


if __name__ == "__main__":
    PICTURE.write_text(svg(body()), encoding="utf-8")
