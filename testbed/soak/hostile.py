"""Attacks of one anonymous client on one pod, at full size, beside other clients.

`python -m testbed.soak.hostile`, inside the sandbox, which needs no Kubernetes. The pod has the default configuration,
and its nginx is in a cgroup with the default memory limit. Every attack comes from one address.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from lambda_fn.contract.quantity import parse_quantity
from lambda_fn.settings import Settings, parse_toml
from testbed.sandbox import cgroups, installation
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.pod import Pod
from testbed.sandbox.progress import say, step
from testbed.sandbox.world import World
from testbed.soak import command
from testbed.soak.pods import Memory

ADDRESS = "127.0.0.1"
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

    def holds(self, limit_bytes: int) -> bool:
        """Cached pulls and probes all succeed, uncached ones nearly all, and memory stays below 80 % of the limit."""
        good = self.uncached[HTTP_NOT_FOUND] >= LEAST_UNCACHED * self.uncached.total()
        all_good = {*self.cached, *self.live} == {HTTP_OK}
        return good and all_good and self.peak_bytes < SHARE * limit_bytes


def main() -> int:
    """Run; returns 1 when another client fails, memory passes 80 % of the limit, or a process is killed."""
    parser = command.parser("testbed.soak.hostile", __doc__)
    parser.add_argument("--seconds", type=int, default=90, help="how long each attack lasts [%(default)s]")
    parser.add_argument("--part", type=int, default=1, help="attack with one in so many connections [%(default)s]")
    parser.add_argument("--kind", action="append", help="only attacks of this kind")
    arguments = parser.parse_args()
    cases = [
        replace(case, connections=case.connections // arguments.part)
        for case in CASES
        if not arguments.kind or case.kind in arguments.kind
    ]
    return command.status(lambda: run(World.current(), cases, arguments.seconds), arguments.json)


def run(world: World, cases: Sequence[Case], seconds: int) -> dict[str, object]:
    """Attack and watch; returns the figures."""
    Control().reset()
    attacks: list[dict[str, object]] = []
    for tls in (False, True):
        if chosen := [case for case in cases if case.tls == tls]:
            attacks += _attacked(world, chosen, seconds, _settings(world, tls=tls))
    for attack in attacks:
        say(f"  {json.dumps(attack)}")
    return {"seconds": seconds, "attacks": attacks, "holds": all(attack["holds"] for attack in attacks)}


def _attacked(world: World, cases: Sequence[Case], seconds: int, settings: Settings) -> Iterator[dict[str, object]]:
    limit = int(parse_quantity(settings.proxy.resources.memory_limit))
    path = f"/v2/{REPOSITORY}/blobs/{installation.push_new_layer(world, REPOSITORY, BLOB_BYTES)}"
    with _pod(world, settings) as pod, _limited(world, pod, limit) as memory:
        before = _workers(pod)
        for case in cases:
            with step(f"{case.connections} connections: {case.kind}, {seconds} s"):
                seen = _watched(case, path, seconds, memory)
            survives = _workers(pod) == before and not memory.kills()
            yield {**asdict(case), "limit_bytes": limit, **vars(seen), "holds": survives and seen.holds(limit)}


def _watched(case: Case, path: str, seconds: int, memory: Memory) -> Seen:
    options = {
        "connections": case.connections,
        "streams": case.streams,
        "seconds": seconds,
        "path": path,
        "target": f"{ADDRESS}:{8443 if case.tls else 8080}",
    }
    words = [sys.executable, "-m", "testbed.soak.attack", case.kind, *(f"--{k}={v}" for k, v in options.items())]
    seen = Seen()
    with subprocess.Popen(words) as attacker:  # noqa: S603 - our own words
        while attacker.poll() is None:
            seen.cached[_status(path)] += 1
            seen.uncached[_status(f"/v2/{REPOSITORY}/manifests/t{time.monotonic_ns()}")] += 1
            seen.live[_status("/-/live")] += 1
            seen.peak_bytes = max(seen.peak_bytes, memory.unevictable_bytes())
            time.sleep(PAUSE_SECONDS)
    return seen


def _status(path: str) -> int | str:
    connection = HTTPConnection(ADDRESS, 8080, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
    except (OSError, HTTPException) as error:
        return repr(error)
    finally:
        connection.close()
    return answer.status


@contextmanager
def _pod(world: World, settings: Settings) -> Iterator[Pod]:
    with tempfile.TemporaryDirectory(dir=world.run) as folder:
        pod = Pod(Path(folder), world, settings)
        token = Control().issue_token(world.region).authorization
        pod.give(dict.fromkeys(world.ecr_hosts, token))
        if settings.proxy.pod_tls_secret:
            pair = world.pair("domain")
            pod.mount("tls", {"tls.crt": pair.certificate.read_bytes(), "tls.key": pair.key.read_bytes()})
        pod.start()
        try:
            yield pod
        finally:
            pod.stop()


@contextmanager
def _limited(world: World, pod: Pod, limit_bytes: int) -> Iterator[Memory]:
    """The memory of the pod's nginx from now on, with a limit at which the kernel kills."""
    name = f"{world.cgroup}-hostile"
    cgroups.create(name)
    folder = next(found for found in cgroups.subtrees(name) if (found / "memory.stat").exists())
    for file in ("memory.max", "memory.limit_in_bytes"):
        if (folder / file).exists():
            (folder / file).write_text(str(limit_bytes))
    for process in (pod.pid, *_workers(pod)):
        (folder / "cgroup.procs").write_text(str(process))
    try:
        yield Memory(folder)
    finally:
        pod.stop()
        cgroups.remove(name)


def _workers(pod: Pod) -> list[int]:
    """The processes that serve; the kernel may have killed one, and the master started another."""
    with suppress(OSError):
        children = Path(f"/proc/{pod.pid}/task/{pod.pid}/children").read_text().split()
        return [int(pid) for pid in children if "worker process" in Path("/proc", pid, "cmdline").read_text()]
    return []


def _settings(world: World, *, tls: bool) -> Settings:
    text = installation.toml(world, image="example.net/nginx:1")
    memory = 'resources = { cpu_request = "50m", memory_request = "64Mi" }'
    text = text.replace(memory, "")
    if not tls:
        text = text.replace(f'kind = "pod"\ntls_secret = "{installation.TLS_SECRET}"', 'kind = "service"')
    return parse_toml(text, "the soak's settings")


if __name__ == "__main__":
    sys.exit(main())
