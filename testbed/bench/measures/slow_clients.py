"""Thousands of clients over TLS that read slowly: the memory that each connection holds."""

from collections.abc import Iterable

from testbed.bench import crowd, curl, usage
from testbed.bench.content import blob_path
from testbed.bench.contestants import Contestant, Frontdoor, Limit
from testbed.bench.stage import Stage, headers
from testbed.sandbox.progress import say

MEASURE = "slow clients"
BYTES_PER_SECOND = 20_000


def measure(stage: Stage, number: int) -> None:
    """Our proxy and static files."""
    crowd.build(stage.world)
    for contestant in stage.turns(number):
        if contestant.secure_origin and isinstance(contestant, Frontdoor | Limit):
            _read_slowly(stage, contestant, contestant.secure_origin, number)


def _read_slowly(stage: Stage, contestant: Contestant, origin: str, number: int) -> None:
    contestant.stop()  # nginx keeps the memory of earlier clients
    contestant.start()
    path = blob_path(stage.content.large)
    curl.download(f"{origin}{path}", headers(contestant), clients=1)  # now it is warm
    before = _unevictable(contestant.processes())
    slowly = crowd.Habits(
        clients=stage.plan.slow_clients,
        ramp_seconds=stage.plan.slow_seconds / 2,
        bytes_per_second=BYTES_PER_SECOND,
        leave_after_seconds=stage.plan.slow_seconds,
    )
    with usage.watched(contestant.processes()) as used:
        got = crowd.pull(stage.world, [origin], [path], slowly)
    for failure in sorted(set(got.failures))[:3]:
        say(f"         a client failed: {failure}")
    peak = max(used.unevictable_bytes)
    stage.record(
        contestant,
        (MEASURE, f"{stage.plan.slow_clients:,} clients"),
        number,
        peak_megabytes=peak / 1e6,
        kilobytes_per_connection=(peak - before) / stage.plan.slow_clients / 1e3,
        failures=len(got.failures),
    )


def _unevictable(processes: Iterable[int]) -> int:
    return usage.unevictable(usage.memory_bytes(usage.tree(processes)))
