"""docs/metrics.png: the panels of monitoring/dashboard.json, with what a real Prometheus answers to their queries.

`make pictures` writes it. Grafana itself cannot be had here. For a minute and a half clients pull from a real pod, new
images and known ones, one of 300 MB; for some seconds of it ECR fails. Without a kubelet the pod has no cgroup of its
own, and so no memory.
"""

import json
import random
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lambda_fn.contract.paths import METRICS_PATH, METRICS_PORT
from lambda_fn.contract.times import instant_text
from lambda_fn.settings import Settings, parse_toml
from testbed.sandbox import prometheus
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from tests.proxy.client import ACCEPT, Client

ROOT = Path(__file__).parents[1]
DASHBOARD = ROOT / "monitoring/dashboard.json"
PICTURE = ROOT / "docs/metrics.png"
LARGEST_BYTES = 250_000
SECONDS, FAILS = 90, (50, 62)
_INTERVAL = "10s"
_GRID_COLUMNS, _INCHES = 24, 0.3
_SCRAPE = {
    "scrape_configs": [
        {
            "job_name": "ecr-frontdoor",
            "metrics_path": METRICS_PATH,
            "static_configs": [{"targets": [f"127.0.0.1:{METRICS_PORT}"], "labels": {"namespace": "registry"}}],
        }
    ]
}

Panel = Mapping[str, Any]
"""As Grafana has it."""


def main() -> None:
    """Write the picture."""
    world = World.current()
    with TemporaryDirectory() as folder:
        pod = Pod(Path(folder), world, _settings(world))
        token = Control().issue_token(world.region).authorization
        pod.mount("credential", _credential(world, token))
        pod.start()
        (Path(folder) / "prometheus").mkdir()
        try:
            with prometheus.running(
                Path(folder) / "prometheus", world, _SCRAPE, ROOT / "monitoring/alerts.yaml"
            ) as server:
                begin = time.time()
                _use(world, token)
                _draw(server, begin, begin + SECONDS)
        finally:
            pod.stop()


def _settings(world: World) -> Settings:
    return parse_toml(
        f"""
        domain = "{world.domain}"
        cluster = {{ name = "{world.cluster}", region = "{world.region}" }}
        registries = [{{ account = "{world.account}", region = "{world.region}", repositories = ["team/*"] }}]
        [proxy]
        monitoring_namespace = "monitoring"
        resolver = "{world.dns_address}"
        exposure = {{ kind = "service" }}
        cache = {{ tag_seconds = 10 }}
        """,
        "the picture's settings",
    )


def _credential(world: World, token: str) -> dict[str, bytes]:
    now = datetime.now(UTC)
    auths = {"auths": {host: {"auth": token} for host in world.ecr_hosts}}
    times = {"expires_at": now + timedelta(hours=11), "refreshed_at": now - timedelta(hours=1)}
    return {
        ".dockerconfigjson": json.dumps(auths).encode(),
        **{key: instant_text(at).encode() for key, at in times.items()},
    }


def _use(world: World, token: str) -> None:
    """Pull for `SECONDS`: four clients, of which each takes one of the newest images."""
    control, ends_at = Control(), time.monotonic() + SECONDS
    with httpx2.Client(verify=ssl.create_default_context(cafile=str(world.ca.certificate))) as session:
        publisher = Publisher(session, world.ecr_host, token)
        paths: list[list[str]] = [list(_push(publisher, 0))]
        with ThreadPoolExecutor(5) as pool:
            running = [pool.submit(_pull, paths, ends_at, seed) for seed in range(4)]
            running.append(pool.submit(_pull_large, f"/v2/team/app/blobs/{control.generated_layer(300_000_000)}"))
            for number in range(1, SECONDS):
                time.sleep(1)
                fails = FAILS[0] <= number < FAILS[1]
                control.set(Behaviour(registry_status=503) if fails else Behaviour())
                if number % 4 == 0 and not fails:
                    paths.append(list(_push(publisher, number)))
            for one in running:
                one.result()


def _push(publisher: Publisher, number: int) -> Iterator[str]:
    layers = [random.randbytes(400_000 * (1 + place)) for place in range(3)]  # noqa: S311 - content of a picture
    image = publisher.image("team/app", f"1.{number}", layers)
    yield f"/v2/team/app/manifests/1.{number}"
    yield f"/v2/team/app/manifests/{image.digest}"
    yield from (f"/v2/team/app/blobs/{layer}" for layer in image.layers)


def _pull(paths: Sequence[Sequence[str]], ends_at: float, seed: int) -> None:
    chosen, client = random.Random(seed), Client()  # noqa: S311 - which image
    while time.monotonic() < ends_at:
        for path in ("/v2/", *chosen.choice(paths[-6:])):
            client.get(path, ACCEPT)
        client.get(f"/v2/team/app/manifests/none-{chosen.randrange(5)}", ACCEPT)
        time.sleep(0.1)


def _pull_large(path: str) -> None:
    Client().get(path)


def _draw(server: prometheus.Prometheus, begin: float, end: float) -> None:
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    with mpl.rc_context({"font.size": 7, "axes.grid": True, "grid.color": "#dddddd", "axes.axisbelow": True}):
        figure = Figure(figsize=(_GRID_COLUMNS * _INCHES * 1.6, rows * _INCHES), facecolor="#f4f5f5")
        for panel in panels:
            _draw_panel(figure, panel, rows, server, begin, end)
        figure.savefig(PICTURE, dpi=72)
    if PICTURE.stat().st_size > LARGEST_BYTES:
        raise ValueError(f"{PICTURE.name} has {PICTURE.stat().st_size} bytes: at most {LARGEST_BYTES} are allowed")


def _draw_panel(
    figure: Figure, panel: Panel, rows: int, server: prometheus.Prometheus, begin: float, end: float
) -> None:
    place = panel["gridPos"]
    left, bottom = place["x"] / _GRID_COLUMNS, 1 - (place["y"] + place["h"]) / rows
    width, height = place["w"] / _GRID_COLUMNS, place["h"] / rows
    if panel["type"] == "row":
        figure.text(left + 0.006, bottom + height * 0.3, panel["title"], fontsize=10, weight="bold")
        return
    axes = figure.add_axes((left + 0.035, bottom + 0.9 / rows, width - 0.045, height - 2.1 / rows))
    axes.set_title(panel["title"], loc="left", fontsize=8, weight="bold")
    found = [
        (target["legendFormat"], series)
        for target in panel["targets"]
        for series in server.query_range(_asked(target["expr"]), begin, end)
    ]
    if panel["type"] == "timeseries":
        _draw_lines(axes, panel, found, begin)
    else:
        _draw_number(axes, panel, found)


def _asked(query: str) -> str:
    return query.replace("$namespace", ".*").replace("$__rate_interval", _INTERVAL)


def _draw_lines(axes: Axes, panel: Panel, found: Sequence[tuple[str, Mapping[str, Any]]], begin: float) -> None:
    for legend, series in found:
        values = [(float(at) - begin, float(value)) for at, value in series["values"]]
        if any(value for _, value in values):
            axes.plot(*zip(*values, strict=True), linewidth=1, label=_label(legend, series["metric"]))
    axes.set_xlim(0, SECONDS)
    axes.set_ylim(bottom=0)
    axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 4))
    axes.set_ylabel(panel["fieldConfig"]["defaults"]["unit"])
    if axes.lines:
        axes.legend(fontsize=6, frameon=False, loc="upper left", ncols=2)


def _draw_number(axes: Axes, panel: Panel, found: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    axes.axis("off")
    unit = panel["fieldConfig"]["defaults"]["unit"]
    values = [value for _, value in found[0][1]["values"] if value != "NaN"] if found else []
    text = _number(float(values[-1]), unit) if values else "no data"
    axes.text(0.5, 0.4, text, ha="center", va="center", fontsize=16 if values else 9)


def _number(value: float, unit: str) -> str:
    if unit == "percentunit":
        return f"{value:.0%}"
    return f"{value / 3600:.1f} h" if unit == "s" else f"{value:g}"


def _label(legend: str, labels: Mapping[str, str]) -> str:
    for name, value in labels.items():
        legend = legend.replace(f"{{{{{name}}}}}", value)
    return legend


if __name__ == "__main__":
    main()
