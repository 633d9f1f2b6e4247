"""One attack, watched: the hostile client is a program, with the other clients beside it, and ECR and S3 behind."""

import json
import subprocess
import time
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial

from lambda_fn.contract.paths import HTTP_PORT, HTTPS_PORT
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control, Requests
from testbed.sandbox.errors import SandboxError
from testbed.soak import attack, flood, other_clients
from testbed.soak.cases import Case, Layers
from testbed.soak.front_door import REPOSITORY
from testbed.soak.ground import Ground
from testbed.soak.seen import Cost, Seen
from testbed.waiting import eventually

PAUSE_SECONDS = 0.2
QUIET_SECONDS, DRAINED_SECONDS = 2, 90
THROTTLED = 429


def attacked(case: Case, ground: Ground, seconds: int) -> dict[str, object]:
    """Attack; returns the figures.

    Raises:
        SandboxError: The hostile client fails.
    """
    control, hot = Control(), list(ground.hot.blobs)
    eventually(partial(_is_quiet, control), DRAINED_SECONDS)
    digests = ground.digests(case.about) if isinstance(case.about, Layers) else []
    mark, hot_before, s3_before = control.mark(), ground.s3_requests(hot), ground.s3_bytes(digests)
    allowed = Behaviour(registry_requests_per_second=case.installation.ecr_requests_per_second)
    began = time.monotonic()
    with control.behaving(allowed):
        seen, attacker = _watched(_command(case, ground, seconds), ground)
        lasted_seconds = time.monotonic() - began
        seen.cached.note(other_clients.pull(ground.door, REPOSITORY, ground.hot), 0)
    requests = control.requests(mark)
    cost = Cost(
        ecr_requests=sum(not _pushes(entry.method) for entry in requests.of("registry")),
        ecr_throttled=sum(entry.status == THROTTLED for entry in requests.of("registry")),
        hot_requests=ground.s3_requests(hot) - hot_before + _for_any(requests, [ground.hot.image.digest, *hot]),
        s3_bytes=ground.s3_bytes(digests) - s3_before,
        most_s3_bytes=case.bound.most_bytes(lasted_seconds) if case.bound else None,
    )
    limit_bytes = ground.pod.limit_bytes
    faults = [*seen.faults(limit_bytes, seconds), *cost.faults(), *([] if ground.pod.survives() else ["restart"])]
    about = {"title": case.title, "kind": case.kind, "size": case.size, "seconds": lasted_seconds}
    return {**about, "attacker": attacker, **asdict(seen), **asdict(cost), "limit_bytes": limit_bytes, "faults": faults}


def _command(case: Case, ground: Ground, seconds: int) -> list[str]:
    options: dict[str, object] = {
        "seconds": seconds,
        "path": ground.paths(case.about),
        "target": f"{ground.pod.address}:{HTTPS_PORT if case.installation.tls else HTTP_PORT}",
        "source": ground.pod.source(next(ground.numbers)),
    }
    if case.holds_connections:
        return attack.command(case.kind, {**options, "connections": case.connections, "streams": case.streams})
    size = case.about.size_bytes if isinstance(case.about, Layers) else 0
    return flood.command(case.kind, {**options, "rate": case.rate, "repository": REPOSITORY, "size": size})


def _watched(words: list[str], ground: Ground) -> tuple[Seen, Mapping[str, int]]:
    """Until the hostile client ends; returns what was seen, and its own figures."""
    with (
        subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as attacker,  # noqa: S603 - our own words
        other_clients.at_work(ground.door, ground.images, ground.hot) as seen,
    ):
        while attacker.poll() is None:
            seen.note_memory(ground.pod.memory.unevictable_bytes(), ground.pod.memory.kernel_bytes())
            time.sleep(PAUSE_SECONDS)
        output = attacker.stdout.read() if attacker.stdout else ""
    if attacker.returncode:
        raise SandboxError(f"the hostile client ended with status {attacker.returncode}; its reason is above")
    return seen, json.loads(output)


def _is_quiet(control: Control) -> bool:
    """Whether ECR is not asked any more: what an earlier attack has queued would count as a second client's."""
    mark = control.mark()
    time.sleep(QUIET_SECONDS)
    return not control.requests(mark).count("registry")


def _pushes(method: str) -> bool:
    return method not in {"GET", "HEAD"}


def _for_any(requests: Requests, digests: list[str]) -> int:
    """Requests to ECR for any of these digests."""
    return sum(entry.path.rpartition("/")[2] in digests for entry in requests.of("registry"))
