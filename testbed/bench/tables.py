"""Results as Markdown: ratios first, then the figures they were made from. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from testbed.bench import sizing, targets
from testbed.bench.results import Results
from testbed.bench.samples import Spread
from testbed.bench.targets import DIRECT, LIMIT, Verdict

Format = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Table:
    """One figure of one measure: contestants beside cases.

    Attributes:
        against: Whose figure the ratio is to; empty: no ratio.
        inverse: Whether the ratio is turned over, so that 1 is as good and more is worse.
    """

    title: str
    measure: str
    metric: str
    shown: Format
    against: str = ""
    inverse: bool = False


def _count(value: float) -> str:
    return f"{value:.0f}"


def _times(value: float) -> str:
    return f"{value:.2f}x"


def _seconds(value: float) -> str:
    if value < 1e-3:  # noqa: PLR2004 - a millisecond
        return f"{value * 1e6:.0f} µs"
    return f"{value * 1000:.1f} ms" if value < 1 else f"{value:.2f} s"


def _thousands(value: float) -> str:
    return f"{value / 1000:.1f} k/s" if value >= 1000 else f"{value:.0f}/s"  # noqa: PLR2004 - what k means


def _speed(value: float) -> str:
    return f"{value:.2f} GB/s"


def _megabytes(value: float) -> str:
    return f"{value:.0f} MB"


def _kilobytes(value: float) -> str:
    return f"{value:.1f} kB"


def _microseconds(value: float) -> str:
    return f"{value:.0f} µs"


def _cost(value: float) -> str:
    return f"{value:.2f} s/GB"


def _rate(title: str, measure: str) -> Table:
    return Table(title, measure, "requests_per_second", _thousands, LIMIT, inverse=True)


def _throughput(title: str, measure: str) -> Table:
    return Table(title, measure, "gigabytes_per_second", _speed, LIMIT, inverse=True)


_QUIET_PERCENT = 25
"""The load of the sandbox itself, with a margin."""

TABLES = {
    "pulls": (
        Table("Requests to ECR", "pull", "ecr_requests", _count),
        Table("Requests to S3", "pull", "s3_requests", _count),
        Table("Time", "pull", "seconds", _seconds),
    ),
    "daemons": (
        Table("Time of a pull", "daemons", "seconds", _seconds, DIRECT),
        Table("Requests to ECR", "daemons", "ecr_requests", _count),
    ),
    "coalescing": (
        Table("Requests to ECR", "coalescing", "ecr_requests", _count),
        Table("Bytes from S3, times the blob", "coalescing", "s3_bytes_ratio", _times),
        Table("First byte, first client", "coalescing", "first_byte_first_seconds", _seconds),
        Table("First byte, last client", "coalescing", "first_byte_last_seconds", _seconds),
        Table("End, last client", "coalescing", "finish_last_seconds", _seconds),
    ),
    "cold": (
        Table("Time until the last client's end", "cold pull", "seconds", _seconds, DIRECT),
        Table("First byte, last client", "cold pull", "first_byte_last_seconds", _seconds),
        Table("Bytes from S3, times the layer", "cold pull", "s3_bytes_ratio", _times),
        Table("Connections to S3", "cold pull", "s3_connections", _count),
        Table("Requests to ECR", "cold pull", "ecr_requests", _count),
        Table("Anonymous and shared memory, growth for each GiB", "cold pull", "growth_megabytes_per_gib", _megabytes),
    ),
    "requests": (
        _rate("Requests a second: how many times fewer than the limit", "requests"),
        Table("p99", "requests", "p99_seconds", _seconds, LIMIT),
        Table("CPU of a request", "requests", "cpu_microseconds_per_request", _microseconds, LIMIT),
    ),
    "bodies": (
        Table("Time of a request", "bodies", "p50_seconds", _seconds, LIMIT),
    ),
    "streams": (
        _throughput("Throughput: how many times less than the limit", "streams"),
    ),
    "cost": (
        Table("CPU", "cost", "cpu_seconds_per_gigabyte", _cost, LIMIT),
        Table("Memory at its highest", "cost", "peak_megabytes", _megabytes),
    ),
    "slow": (
        Table("Anonymous and shared memory of a connection", "slow clients", "kilobytes_per_connection", _kilobytes),
        Table("The same memory, at its highest", "slow clients", "peak_megabytes", _megabytes),
        Table("Failures", "slow clients", "failures", _count),
    ),
    "growth": (
        _rate("Requests a second, by clients", "clients"),
        Table("p99, by clients", "clients", "p99_seconds", _seconds, LIMIT),
        _rate("Requests a second, by cached blobs", "cached blobs"),
        Table("Memory at its highest, by cached blobs", "cached blobs", "peak_megabytes", _megabytes),
    ),
    "tls": (
        _rate("Requests a second over TLS", "requests over TLS"),
        _throughput("Throughput over TLS", "streams over TLS"),
    ),
}  # fmt: skip
"""Section of the document -> its tables."""


CROWD = {
    "seconds": ("until the last client's end", _seconds),
    "gigabytes_per_second": ("two pods together", _speed),
    "share_of_unshaped": ("times that of clients without a limit", _times),
    "finish_p99_to_p50": ("time of a client, p99 to p50", _times),
    "failures": ("failures", _count),
    "ecr_requests": ("requests to ECR", _count),
    "s3_bytes_ratio": ("bytes from S3, times pods and image", _times),
}
"""Metric -> what it is called, and how it is shown."""


_NOT_MEASURED = "The last published run did not measure this."


def blocks(results: Results) -> dict[str, str]:
    """Marker of the document -> Markdown; the targets first."""
    sections = {name: section(results, name) for name in TABLES}
    sections["crowd"] = crowd_table(results) or _NOT_MEASURED
    sections["sizing"] = sizing_table(results) or _NOT_MEASURED
    around = {"gaps": gap_table(results), "machine": machine_table(results)}
    return {"targets": verdict_table(results), **sections, **around}


def section(results: Results, name: str) -> str:
    """A section's tables, or a sentence where the run measured none of them."""
    tables = filter(None, (markdown(results, table) for table in TABLES[name]))
    return "\n\n".join(tables) or _NOT_MEASURED


def markdown(results: Results, table: Table) -> str:
    """One table; empty where nothing was measured."""
    figures = results.figures
    cases = figures.cases(table.measure, table.metric)
    shown = [
        name for name in results.titles if any(figures.values(name, table.measure, c, table.metric) for c in cases)
    ]
    rows = [[case, *(_cell(results, table, name, case) for name in shown)] for case in cases]
    return _grid([f"**{table.title}**", *(results.titles[name] for name in shown)], rows) if rows else ""


def crowd_table(results: Results) -> str:
    """What two of our pods gave to a crowd: one column for each way it reads; empty where nothing was measured."""
    figures = results.figures
    cases = figures.cases(targets.CROWD, "seconds")
    rows = [
        [name, *(spread_text(spread, shown) if spread else "-" for spread in spreads)]
        for metric, (name, shown) in CROWD.items()
        for spreads in [[figures.spread(targets.OURS, targets.CROWD, case, metric) for case in cases]]
    ]
    clients = f"**{results.plan.crowd_clients:,} clients**"
    return _grid([clients, *cases], rows) if cases else ""


def sizing_table(results: Results) -> str:
    """What some deployments need, computed; empty where a figure is missing that this takes."""
    rows = [
        [
            f"{row.nodes:,}",
            f"{row.image_gigabytes:g} GB",
            str(row.pods),
            _megabytes(row.megabytes),
            f"{row.seconds:.0f} s",
        ]
        for row in sizing.rows(results.figures)
    ]
    head = ["nodes that pull at once", "image", "pods", "memory of a pod", "until all nodes have it"]
    return _grid(head, rows) if rows else ""


def _cell(results: Results, table: Table, name: str, case: str) -> str:
    about = (table.measure, case, table.metric)
    spread = results.figures.spread(name, *about)
    if spread is None:
        return "-"
    absolute = spread_text(spread, table.shown)
    pair = (table.against, name) if table.inverse else (name, table.against)
    ratio = results.figures.ratio(pair, *about) if table.against not in {"", name} else None
    return f"**{ratio.median:.2f}x** · {absolute}" if ratio else absolute


def spread_text(spread: Spread, shown: Format) -> str:
    """Median, and lowest and highest where they differ as printed."""
    middle, low, high = map(shown, (spread.median, spread.low, spread.high))
    return middle if low == high else f"{middle} ({low} to {high})"


def verdict_table(results: Results) -> str:
    """Targets, measured, met or not."""
    words = {True: "yes", False: "**no**", None: "not measured"}
    rows = [
        [
            v.target.what,
            f"{'at least' if v.target.at_least else 'at most'} {v.target.bound:g}{v.target.unit}",
            _measured(v),
            words[v.met],
        ]
        for v in targets.verdicts(results.figures)
    ]
    return _grid(["what", "target", "measured", "met"], rows)


def _measured(verdict: Verdict) -> str:
    if verdict.measured is None:
        return "-"
    digits = 0 if verdict.target.what.endswith(("requests", "by digest", "by tag")) else 2
    return spread_text(verdict.measured, lambda value: f"{value:.{digits}f}{verdict.target.unit}")


def gap_table(results: Results) -> str:
    """What could not be measured, and why."""
    rows = [[results.titles.get(gap.contestant, gap.contestant), gap.measure, gap.reason] for gap in results.gaps]
    return _grid(["contestant", "measure", "reason"], rows) if rows else "Nothing was left out."


def machine_table(results: Results) -> str:
    """Where, when and how long."""
    m = results.machine
    plan = results.plan
    busy = f"{m.busy_percent:.0f} % of the processors were taken when it began"
    if m.busy_percent > _QUIET_PERCENT:
        busy = f"**{busy}: read the counts, and none of the times and rates**"
    rows = [
        ["machine", f"{m.processor}, {m.cores} cores, {m.memory_gib} GiB, Linux {m.kernel}, {m.system}"],
        ["programs", f"nginx {m.nginx}, distribution {m.distribution}, wrk {m.wrk}, curl {m.curl}"],
        ["run", f"{results.began_at}, {results.seconds / 60:.0f} minutes; {busy}"],
        ["plan", f"{plan.name}: {plan.rounds} rounds, {plan.stream_rounds} of streams, {plan.load_seconds} s a load"],
    ]
    return _grid(["", ""], rows)


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
