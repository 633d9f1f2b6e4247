"""Attacks of one anonymous client on one pod, at full size, beside other clients.

`python -m testbed.soak.hostile`, inside the sandbox. The pod has the default configuration and memory limit: its nginx
in a cgroup, or, with `--on-node`, on the real node, whose kubelet restarts it. Every attack comes from one address.
"""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from http.client import HTTPConnection, HTTPException

from lambda_fn.contract.paths import HTTP_PORT, HTTPS_PORT
from testbed.sandbox import installation
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.progress import say, step
from testbed.sandbox.world import World
from testbed.soak import attack, command, target
from testbed.soak.target import Target

REPOSITORY = "team/soak"
BLOB_BYTES = 4_000_000
TIMEOUT_SECONDS = 10
PAUSE_SECONDS = 0.1
SHARE = 0.8
LEAST_UNCACHED = 0.99
HTTP_OK, HTTP_NOT_FOUND = 200, 404


@dataclass(frozen=True)
class Case:
    """One attack."""

    kind: str
    connections: int
    streams: int = 0

    @property
    def tls(self) -> bool:
        """Whether it is over HTTP/2."""
        return self.streams > 0


CASES = (
    Case("idle", 17_000),
    Case("kept-alive", 17_000),
    Case("unfinished-header", 17_000),
    Case("body", 17_000),
    Case("7k-header", 17_000),
    Case("24k-header", 15_000),
    Case("unread-body", 400),
    Case("unread-streams", 90, 120),
    Case("unread-streams", 90, 16),
    Case("unended-streams", 90, 120),
)


@dataclass
class Seen:
    """What the other clients got, and what the pod held."""

    cached: Counter[int | str] = field(default_factory=Counter)
    uncached: Counter[int | str] = field(default_factory=Counter)
    live: Counter[int | str] = field(default_factory=Counter)
    peak_bytes: int = 0
    kernel_peak_bytes: int = 0

    def holds(self, limit_bytes: int) -> bool:
        """Cached pulls and probes all succeed, uncached ones nearly all, and memory stays below 80 % of the limit."""
        good = self.uncached[HTTP_NOT_FOUND] >= LEAST_UNCACHED * self.uncached.total()
        all_good = {*self.cached, *self.live} == {HTTP_OK}
        return good and all_good and self.peak_bytes + self.kernel_peak_bytes < SHARE * limit_bytes


def main() -> int:
    """Run; returns 1 when another client fails, memory passes 80 % of the limit, or a process is killed."""
    parser = command.parser("testbed.soak.hostile", __doc__)
    parser.add_argument("--seconds", type=int, default=90, help="how long each attack lasts [%(default)s]")
    parser.add_argument("--part", type=int, default=1, help="attack with one in so many connections [%(default)s]")
    parser.add_argument("--on-node", action="store_true", help="attack a pod that the real kubelet probes")
    parser.add_argument("--kind", action="append", help="only attacks of this kind")
    arguments = parser.parse_args()
    cases = [
        replace(case, connections=case.connections // arguments.part)
        for case in CASES
        if not arguments.kind or case.kind in arguments.kind
    ]
    return command.status(
        lambda: run(World.current(), cases, arguments.seconds, on_node=arguments.on_node), arguments.json
    )


def run(world: World, cases: Sequence[Case], seconds: int, *, on_node: bool) -> dict[str, object]:
    """Attack and watch; returns the figures.

    Raises:
        SandboxError: The front door cannot be installed.
    """
    Control().reset()
    attacks: list[dict[str, object]] = []
    for tls in (False, True):
        if chosen := [case for case in cases if case.tls == tls]:
            with (target.on_node if on_node else target.alone)(world, tls=tls) as attacked:
                attacks += _attacked(world, chosen, seconds, attacked)
    for found in attacks:
        say(f"  {json.dumps(found)}")
    return {"seconds": seconds, "attacks": attacks, "holds": all(found["holds"] for found in attacks)}


def _attacked(world: World, cases: Sequence[Case], seconds: int, attacked: Target) -> Iterator[dict[str, object]]:
    path = f"/v2/{REPOSITORY}/blobs/{installation.push_new_layer(world, REPOSITORY, BLOB_BYTES)}"
    for case in cases:
        with step(f"{case.connections} connections: {case.kind}, {seconds} s"):
            seen = _watched(case, path, seconds, attacked)
        limit = attacked.limit_bytes
        holds = attacked.survives() and seen.holds(limit)
        yield {**asdict(case), "limit_bytes": limit, **vars(seen), "holds": holds}


def _watched(case: Case, path: str, seconds: int, attacked: Target) -> Seen:
    options = {
        "connections": case.connections,
        "streams": case.streams,
        "seconds": seconds,
        "path": path,
        "target": f"{attacked.address}:{HTTPS_PORT if case.tls else HTTP_PORT}",
        "source": attacked.source,
    }
    seen = Seen()
    with subprocess.Popen(attack.command(case.kind, options)) as attacker:  # noqa: S603 - our own words
        while attacker.poll() is None:
            seen.cached[_status(attacked, path)] += 1
            seen.uncached[_status(attacked, f"/v2/{REPOSITORY}/manifests/t{time.monotonic_ns()}")] += 1
            seen.live[_status(attacked, "/-/live")] += 1
            seen.peak_bytes = max(seen.peak_bytes, attacked.memory.unevictable_bytes())
            seen.kernel_peak_bytes = max(seen.kernel_peak_bytes, attacked.memory.kernel_bytes())
            time.sleep(PAUSE_SECONDS)
    return seen


def _status(attacked: Target, path: str) -> int | str:
    connection = HTTPConnection(attacked.address, HTTP_PORT, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
    except (OSError, HTTPException) as error:
        return repr(error)
    finally:
        connection.close()
    return answer.status


if __name__ == "__main__":
    sys.exit(main())
