"""A made-up run."""

from testbed.bench.machine import Machine
from testbed.bench.plan import SHORT
from testbed.bench.results import Results
from testbed.bench.samples import Gap, Sample

TITLES = {"plain": "plain", "frontdoor": "ours", "limit": "the limit"}
MACHINE = Machine("a processor", 2, 8.0, "6.1", "Debian", "1.30.6", "v3.1.2", "4.1.0", "7.88.1", 5)


def results(*samples: Sample, gaps: tuple[Gap, ...] = (), machine: Machine = MACHINE) -> Results:
    """A run with these figures."""
    return Results("2026-11-23T08:00:00+00:00", 600, machine, SHORT, TITLES, samples, gaps)
