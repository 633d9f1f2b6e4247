"""A load of requests on a contestant, and its cost. A load that gets errors is recorded as a gap, without a figure."""

from pathlib import Path

from testbed.bench import usage, wrk
from testbed.bench.contestants import Contestant
from testbed.bench.stage import Stage, headers
from testbed.bench.usage import Usage
from testbed.bench.wrk import Load


def loaded(
    stage: Stage,
    contestant: Contestant,
    about: tuple[str, str],
    url: str,
    *,
    connections: int = 0,
    listed: Path | None = None,
) -> tuple[Load, Usage] | None:
    """The load, and what was used meanwhile; None, and a gap, where answers were errors: those cost less than blobs do.

    Args:
        stage: Says how long a load lasts and, unless `connections` does, with how many.
        contestant: The receiver of the requests.
        about: The measure and the case.
        url: What for.
        connections: Other than the plan's.
        listed: As in `wrk.load`.
    """
    with usage.watched(contestant.processes()) as used:
        load = wrk.load(
            url,
            headers(contestant),
            connections=connections or stage.plan.load_connections,
            seconds=stage.plan.load_seconds,
            listed=listed,
        )
    if load.errors:
        reason = f"{load.errors} requests of a load were answered with errors, late or not at all: it is no figure"
        stage.gap(contestant, ": ".join(about), reason)
        return None
    return load, used
