"""Pictures of a run, as PNG: colours for colour-blind readers (Okabe and Ito), and a mark for each contestant."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from testbed.bench.results import Results
from testbed.bench.targets import LIMIT

_LOOKS = {
    "direct": ("#999999", "X"),
    "plain": ("#E69F00", "v"),
    "whole_file": ("#D55E00", "s"),
    "distribution": ("#CC79A7", "D"),
    "frontdoor": ("#0072B2", "o"),
    LIMIT: ("#000000", "_"),
}
_DPI = 150
_STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
}


def draw(results: Results, folder: Path) -> None:
    """Write every picture the results have figures for."""
    with mpl.rc_context(_STYLE):
        for name, picture in _PICTURES.items():
            figure = picture(results)
            if figure is not None:
                figure.savefig(folder / f"{name}.png", dpi=_DPI, bbox_inches="tight")


def _coalescing(results: Results) -> Figure | None:
    """The largest number of concurrent clients: for each a line from its first byte to its end."""
    cases = results.figures.cases("coalescing", "first_byte_last_seconds")
    if not cases:
        return None
    case = cases[-1]
    figure = Figure(figsize=(8, 4.2))
    axes = figure.add_subplot()
    names = [n for n in results.titles if results.figures.values(n, "coalescing", case, "first_byte_last_seconds")]
    clients = int(case.split()[0])
    for row, name in enumerate(reversed(names)):
        colour, _ = _LOOKS[name]
        for place in range(clients):
            first, end = (
                _first(results, name, case, f"client_{place:02}_{m}_seconds") for m in ("first_byte", "finish")
            )
            height = row - 0.38 + 0.76 * (clients - 1 - place) / max(1, clients - 1)
            axes.plot([0, first], [height, height], color=colour, alpha=0.25, linewidth=0.8)
            axes.plot([first, end], [height, height], color=colour, linewidth=1.6)
    axes.set_yticks(range(len(names)), [results.titles[name] for name in reversed(names)])
    axes.set_xlim(left=0)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("seconds since the clients began")
    rate = results.plan.coalescing_s3_bytes_per_second / 1e6
    axes.set_title(
        f"{case} pull one cold 100 MiB blob; S3 gives each connection {rate:.0f} MB/s\n"
        "pale: a client waits for its first byte; strong: its bytes arrive"
    )
    return figure


def _requests(results: Results) -> Figure | None:
    return _bars(
        results,
        "requests",
        "requests_per_second",
        "requests a second",
        "Warm, 32 connections, one machine for all",
        log=True,
    )


def _streams(results: Results) -> Figure | None:
    return _bars(
        results, "streams", "gigabytes_per_second", "GB/s, all streams together", "A warm blob, without TLS", log=False
    )


def _bars(results: Results, measure: str, metric: str, unit: str, title: str, *, log: bool) -> Figure | None:
    cases = results.figures.cases(measure, metric)
    if not cases:
        return None
    figure = Figure(figsize=(8, 3.8))
    axes = figure.add_subplot()
    width = 0.8 / len(results.titles)
    for index, (name, label) in enumerate(results.titles.items()):
        spreads = [results.figures.spread(name, measure, case, metric) for case in cases]
        shown = [(place, s) for place, s in enumerate(spreads) if s]
        at = [place - 0.4 + width * (index + 0.5) for place, _ in shown]
        middles = [s.median for _, s in shown]
        errors = [[s.median - s.low for _, s in shown], [s.high - s.median for _, s in shown]]
        axes.bar(at, middles, width * 0.9, yerr=errors, label=label, color=_LOOKS[name][0], ecolor="#555555", capsize=2)
    if log:
        axes.set_yscale("log")
    axes.set_xticks(range(len(cases)), cases)
    axes.grid(visible=False, axis="x")
    axes.set_ylabel(unit)
    axes.set_title(f"{title}\nbars are medians, lines reach from the lowest to the highest round")
    axes.legend(ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.12))
    return figure


def _clients(results: Results) -> Figure | None:
    pictures = (("requests_per_second", "requests a second", 1.0), ("p99_seconds", "p99, milliseconds", 1000.0))
    return _lines(results, "clients", "connections", pictures, "A warm blob of 10 kB, by clients")


def _cached(results: Results) -> Figure | None:
    pictures = (("requests_per_second", "requests a second", 1.0), ("peak_megabytes", "memory at its highest, MB", 1.0))
    return _lines(
        results, "cached blobs", "cached blobs", pictures, "Any one of many cached blobs of 1 kB, by their number"
    )


def _lines(
    results: Results, measure: str, across: str, pictures: Sequence[tuple[str, str, float]], title: str
) -> Figure | None:
    if not results.figures.cases(measure, pictures[0][0]):
        return None
    figure = Figure(figsize=(9, 3.8))
    for place, (metric, unit, factor) in enumerate(pictures, start=1):
        axes = figure.add_subplot(1, len(pictures), place)
        for name in results.titles:
            _line(axes, results, (name, measure, metric), factor)
        axes.set_xscale("log", base=2 if measure == "clients" else 10)
        if metric == "peak_megabytes":
            axes.set_ylim(bottom=0)
        else:
            axes.set_yscale("log")
        cases = results.figures.cases(measure, metric)
        axes.set_xticks([float(case.replace(",", "")) for case in cases], cases)
        axes.minorticks_off() if measure == "clients" else None
        axes.set_xlabel(across)
        axes.set_ylabel(unit)
    figure.suptitle(f"{title}; areas reach from the lowest to the highest round")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, ncols=4, loc="upper center", bbox_to_anchor=(0.5, 0.0))
    figure.tight_layout()
    return figure


def _line(axes: Axes, results: Results, about: tuple[str, str, str], factor: float) -> None:
    name, measure, metric = about
    cases = results.figures.cases(measure, metric)
    spreads = [(float(case.replace(",", "")), results.figures.spread(name, measure, case, metric)) for case in cases]
    shown = [(at, spread) for at, spread in spreads if spread]
    if not shown:
        return
    colour, marker = _LOOKS[name]
    across = [at for at, _ in shown]
    axes.plot(across, [s.median * factor for _, s in shown], color=colour, marker=marker, label=results.titles[name])
    lows, highs = ([getattr(s, edge) * factor for _, s in shown] for edge in ("low", "high"))
    axes.fill_between(across, lows, highs, color=colour, alpha=0.15, linewidth=0)


def _first(results: Results, name: str, case: str, metric: str) -> float:
    """A figure of the first round."""
    return results.figures.values(name, "coalescing", case, metric)[0]


_PICTURES: dict[str, Callable[[Results], Figure | None]] = {
    "coalescing": _coalescing,
    "requests": _requests,
    "streams": _streams,
    "clients": _clients,
    "cached-blobs": _cached,
}
