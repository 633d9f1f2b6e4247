"""docs/metrics.png: the panels of monitoring/dashboard.json, with what a real Prometheus answers to their queries.

`make pictures` writes it. Grafana itself cannot be had here. For a minute and a half clients pull from the pods on the
real node, new images and known ones, one of 300 MB; for some seconds of it ECR fails.
"""

import json
import random
import ssl
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, MultipleLocator

from cli.usage.report import size
from lambda_fn.contract.paths import METRICS_PATH, METRICS_PORT
from testbed.sandbox import installation, prometheus
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.story import expect
from testbed.sandbox.world import World
from tests.proxy.client import ACCEPT

ROOT = Path(__file__).parents[1]
DASHBOARD = ROOT / "monitoring/dashboard.json"
PICTURE = ROOT / "docs/metrics.png"
LARGEST_BYTES = 250_000
SECONDS, FAILS = 90, (50, 62)
_INTERVAL = "10s"
_GRID_COLUMNS, _COLUMN_INCHES, _ROW_INCHES, _DPI = 24, 0.5, 0.29, 84
_BACKGROUND = "#f4f5f5"
_STYLE: Mapping[Any, Any] = {
    "font.size": 6.5,
    "axes.grid": True,
    "grid.color": "#e4e6e8",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
}
_LEGEND: Mapping[str, Any] = {
    "loc": "upper left",
    "fontsize": 6,
    "frameon": False,
    "borderaxespad": 0,
    "handlelength": 1,
    "columnspacing": 1,
    "labelspacing": 0.2,
}
_LETTERS_IN_A_COLUMN = 10
_LINES_OF_LEGEND = 2
"""That a panel has room for; of more, the axes are lower."""
_NO_DATA = "no data"
_FLAT = 0.06
"""The top that matplotlib gives to a line at zero."""
Panel = Mapping[str, Any]
"""As Grafana has it."""


def main() -> None:
    """Write the picture."""
    world = World.current()
    invocation = installation.install(world)
    expect(invocation.error is None, f"the Lambda failed: {invocation.error}")
    with TemporaryDirectory() as folder:
        alerts = ROOT / "monitoring/alerts.yaml"
        with prometheus.running(Path(folder), world, _scrape(world), alerts) as server:
            begin = time.time()
            _use(world)
            _draw(server, begin, begin + SECONDS)


def _scrape(world: World) -> Mapping[str, Any]:
    """The pods, which do not change meanwhile."""
    pods = [f"{pod['status']['podIP']}:{METRICS_PORT}" for pod in installation.proxy_pod_objects(world)]
    static = {"targets": pods, "labels": {"namespace": world.namespace}}
    return {"scrape_configs": [{"job_name": "ecr-frontdoor", "metrics_path": METRICS_PATH, "static_configs": [static]}]}


def _use(world: World) -> None:
    """Pull for `SECONDS`: four clients, of which each takes one of the newest images."""
    control, ends_at = Control(), time.monotonic() + SECONDS
    trust = ssl.create_default_context(cafile=str(world.ca.certificate))
    domain = f"https://{world.domain}/v2/{world.app_repository}"
    with httpx2.Client(verify=trust, timeout=None) as session, ThreadPoolExecutor(5) as pool:
        publisher = Publisher(session, world.ecr_host, control.issue_token(world.region).authorization)
        images = [_push(publisher, world, 0)]
        running: list[Future[None]] = [pool.submit(_pull, trust, domain, images, ends_at, seed) for seed in range(4)]
        large = f"{domain}/blobs/{control.generated_layer(300_000_000)}"
        running.append(pool.submit(_pull_large, session, large))
        for number in range(1, SECONDS):
            time.sleep(1)
            fails = FAILS[0] <= number < FAILS[1]
            control.set(Behaviour(registry_status=503) if fails else Behaviour())
            if number % 4 == 0 and not fails:
                images.append(_push(publisher, world, number))
        for one in running:
            one.result()


def _push(publisher: Publisher, world: World, number: int) -> tuple[str, ...]:
    """The paths that a client asks for, one after the other."""
    layers = [random.randbytes(400_000 * (1 + place)) for place in range(3)]  # noqa: S311 - content of a picture
    image = publisher.image(world.app_repository, f"1.{number}", layers)
    return f"manifests/1.{number}", f"manifests/{image.digest}", *(f"blobs/{layer}" for layer in image.layers)


def _pull(trust: ssl.SSLContext, domain: str, images: Sequence[Sequence[str]], ends_at: float, seed: int) -> None:
    chosen = random.Random(seed)  # noqa: S311 - which image
    while time.monotonic() < ends_at:
        # Each pull has a connection of its own, so that it reaches any of the pods.
        with httpx2.Client(verify=trust, headers=ACCEPT, timeout=30) as session:
            for path in (*chosen.choice(images[-6:]), f"manifests/none-{chosen.randrange(5)}"):
                session.get(f"{domain}/{path}")
        time.sleep(0.1)


def _pull_large(session: httpx2.Client, blob: str) -> None:
    session.get(blob).raise_for_status()


def _draw(server: prometheus.Prometheus, begin: float, end: float) -> None:
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    with mpl.rc_context(dict(_STYLE)):
        figure = Figure(figsize=(_GRID_COLUMNS * _COLUMN_INCHES, rows * _ROW_INCHES), facecolor=_BACKGROUND)
        for panel in panels:
            _draw_panel(figure, panel, rows, server, begin, end)
        figure.savefig(PICTURE, dpi=_DPI)
    if PICTURE.stat().st_size > LARGEST_BYTES:
        raise ValueError(f"{PICTURE.name} has {PICTURE.stat().st_size} bytes: at most {LARGEST_BYTES} are allowed")


def _draw_panel(
    figure: Figure, panel: Panel, rows: int, server: prometheus.Prometheus, begin: float, end: float
) -> None:
    place = panel["gridPos"]
    column, row = 1 / _GRID_COLUMNS, 1 / rows
    left, bottom = place["x"] * column, 1 - (place["y"] + place["h"]) * row
    width, height = place["w"] * column, place["h"] * row
    if panel["type"] == "row":
        figure.text(left + 0.2 * column, bottom + 0.3 * row, panel["title"], fontsize=10, weight="bold")
        return
    edge: dict[str, Any] = {
        "facecolor": "white",
        "edgecolor": "#d8dadd",
        "linewidth": 0.6,
        "transform": figure.transFigure,
    }
    card = (left + 0.1 * column, bottom + 0.1 * row)
    figure.patches.append(Rectangle(card, width - 0.2 * column, height - 0.2 * row, zorder=-1, **edge))
    figure.text(left + 0.3 * column, bottom + height - 0.75 * row, panel["title"], fontsize=7.5, weight="bold")
    found = [
        (target["legendFormat"], series)
        for target in panel["targets"]
        for series in server.query_range(_asked(target["expr"]), begin, end)
    ]
    if panel["type"] == "timeseries":
        box = (left + 1.35 * column, bottom + 1.7 * row, width - 1.75 * column, height - 2.8 * row)
        axes = figure.add_axes(box)
        if _draw_lines(axes, panel, found, begin):
            longest = max(len(str(line.get_label())) for line in axes.lines)
            columns = max(1, round(place["w"] * _LETTERS_IN_A_COLUMN) // (longest + 5))
            more = max(0, ceil(len(axes.lines) / columns) - _LINES_OF_LEGEND) * 0.5 * row
            axes.set_position((box[0], box[1] + more, box[2], box[3] - more))
            below = (left + 0.3 * column, bottom + 1.15 * row + more)
            axes.legend(bbox_to_anchor=below, bbox_transform=figure.transFigure, ncols=columns, **_LEGEND)
    else:
        centre = (left + width / 2, bottom + height * 0.4)
        figure.text(*centre, _latest(panel, found), ha="center", va="center", fontsize=17)


def _asked(query: str) -> str:
    return query.replace("$cluster", ".*").replace("$namespace", ".*").replace("$__rate_interval", _INTERVAL)


def _draw_lines(axes: Axes, panel: Panel, found: Sequence[tuple[str, Mapping[str, Any]]], begin: float) -> bool:
    """The lines that are ever above zero; of a panel without any, all. Returns whether there is one above zero."""
    lines = [
        (_label(legend, series["metric"]), [(float(at) - begin, float(value)) for at, value in series["values"]])
        for legend, series in found
    ]
    above = [line for line in lines if any(value for _, value in line[1])]
    for label, values in above or lines:
        axes.plot(*zip(*values, strict=True), linewidth=1.1, label=label)
    unit = panel["fieldConfig"]["defaults"]["unit"]
    axes.set_xlim(0, SECONDS)
    axes.set_ylim(bottom=0, top=None if axes.get_ylim()[1] > _FLAT else 1)
    axes.xaxis.set_major_locator(MultipleLocator(15))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g} s")
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=unit == "short"))
    axes.yaxis.set_major_formatter(lambda value, _: _number(value, unit))
    axes.tick_params(length=0, colors="#57606a")
    axes.spines[:].set_visible(False)
    if not lines:
        axes.text(0.5, 0.5, _NO_DATA, ha="center", va="center", transform=axes.transAxes, color="#57606a")
    return bool(above)


def _latest(panel: Panel, found: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    values = [value for _, value in found[0][1]["values"] if value != "NaN"] if found else []
    return _number(float(values[-1]), panel["fieldConfig"]["defaults"]["unit"]) if values else _NO_DATA


def _number(value: float, unit: str) -> str:
    """A value with its unit, as Grafana writes it."""
    match unit:
        case "percentunit":
            return f"{value:.0%}"
        case "s":
            return f"{value / 3600:.1f} h"
        case "bytes":
            return size(round(value))
        case "Bps":
            return f"{size(round(value))}/s"
        case "reqps" | "ops":
            return f"{value:g}/s"
        case _:
            return f"{value:g}"


def _label(legend: str, labels: Mapping[str, str]) -> str:
    for name, value in labels.items():
        legend = legend.replace(f"{{{{{name}}}}}", value)
    return legend


if __name__ == "__main__":
    main()
