"""A whole run: every measure, round by round, with the contestants in turn."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from testbed.bench import capabilities
from testbed.bench.machine import describe
from testbed.bench.measures import (
    bodies,
    coalescing,
    cold_pull,
    crowds,
    daemons,
    growth,
    pulls,
    requests,
    slow_clients,
    streams,
)
from testbed.bench.plan import FULL, Plan
from testbed.bench.results import Results
from testbed.bench.stage import Stage, staged
from testbed.sandbox.progress import step
from testbed.sandbox.world import World

Measure = Callable[[Stage, int], None]


def run(world: World, plan: Plan, only: str = "") -> Results:
    """Measure, everything or one measure of the programme; minutes. The contestants have ended when it returns.

    Raises:
        SandboxError: A contestant or a load generator fails.
    """
    machine, began_at, began = describe(world), datetime.now(UTC), time.monotonic()
    with _folder(world) as folder, staged(world, plan, folder) as stage:
        if not only:
            with step("trying what each contestant can do"):
                capabilities.try_all(stage)
        for name, measure, rounds in _programme(plan):
            for number in range(rounds if only in {"", name} else 0):
                with step(f"measuring {name}, round {number + 1} of {rounds}"):
                    measure(stage, number)
        titles = {contestant.name: contestant.title for contestant in stage.contestants}
        return Results(
            began_at=began_at.isoformat(timespec="seconds"),
            seconds=round(time.monotonic() - began, 1),
            machine=machine,
            plan=plan,
            titles=titles,
            samples=stage.samples,
            gaps=stage.gaps,
        )


def names() -> list[str]:
    """The measures of the programme, in its order."""
    return [name for name, _, _ in _programme(FULL)]


def _programme(plan: Plan) -> list[tuple[str, Measure, int]]:
    return [
        ("pulls", pulls.measure, min(2, plan.rounds)),
        ("coalescing", coalescing.measure, plan.rounds),
        ("cold pulls", cold_pull.measure, plan.rounds),
        ("docker and containerd", daemons.measure, plan.rounds),
        ("streams", streams.measure, plan.stream_rounds),
        ("requests", requests.measure, plan.rounds),
        ("requests over TLS", requests.measure_tls, plan.rounds),
        ("requests by clients", requests.measure_clients, min(2, plan.rounds)),
        ("bodies", bodies.measure, plan.rounds),
        ("slow clients", slow_clients.measure, plan.rounds),
        ("crowd", crowds.measure, plan.rounds),
        ("cached blobs", growth.measure, 1),
    ]


@contextmanager
def _folder(world: World) -> Iterator[Path]:
    """A folder in the sandbox's state: `down` removes it after a crash."""
    folder = world.state / "bench"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
