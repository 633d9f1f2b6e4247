"""A large deployment: many clients that pull one cold image from two pods at the same time.

First each client reads as fast as it can, which shows what the pods deliver. Then each is limited to its share of that,
as a node is by its network: the pods should deliver nearly as much, and no client should wait for others.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from testbed.bench import crowd
from testbed.bench.content import APPLICATION_TAG, blob_path, manifest_path
from testbed.bench.contestants import Contestant, Frontdoor
from testbed.bench.stage import Stage
from testbed.sandbox.progress import say

MEASURE = "crowd"
UNSHAPED, SHAPED = "as fast as they can", "each limited to its share"
PODS = 2
_PORTS_APART = 100
_RAMP_SECONDS = 2
_VERIFIED = 20
"""Clients that compare what they get with its digests."""


def measure(stage: Stage, number: int) -> None:
    """Without a limit, then with it."""
    crowd.build(stage.world)
    with _pods(stage) as pods:
        rate = _pulled(stage, pods, number, UNSHAPED).bytes_per_second
        shaped = _pulled(stage, pods, number, SHAPED, int(rate / stage.plan.crowd_clients))
    share = shaped.bytes_per_second / rate
    stage.record(pods[0], (MEASURE, SHAPED), number, share_of_unshaped=share)


def _pulled(stage: Stage, pods: Sequence[Contestant], number: int, case: str, bytes_per_second: int = 0) -> crowd.Crowd:
    clients, image = stage.plan.crowd_clients, stage.content.application
    for pod in pods:
        pod.make_cold()
    mark = stage.control.mark()
    got = crowd.pull(
        stage.world,
        [pod.origin for pod in pods],
        [manifest_path(APPLICATION_TAG), *map(blob_path, (image.config, *image.layers))],
        crowd.Habits(
            clients=clients,
            ramp_seconds=_RAMP_SECONDS,
            bytes_per_second=bytes_per_second,
            verify_every=max(1, clients // _VERIFIED),
        ),
    )
    for failure in got.failures[:3]:
        say(f"         a client failed: {failure}")
    seen = stage.control.requests(mark)
    stage.record(
        pods[0],
        (MEASURE, case),
        number,
        seconds=got.seconds,
        gigabytes_per_second=got.bytes_per_second / 1e9,
        finish_p99_to_p50=got.finish_p99_to_p50,
        failures=len(got.failures),
        ecr_requests=seen.count("registry"),
        s3_bytes_ratio=seen.sent_bytes("s3.layer") / (len(pods) * image.size_bytes),
    )
    return got


@contextmanager
def _pods(stage: Stage) -> Iterator[Sequence[Contestant]]:
    """The stage's pod, and more of them."""
    token = stage.control.issue_token(stage.world.region).authorization
    with tempfile.TemporaryDirectory(dir=stage.folder) as name:
        folder = Path(name)
        more = [
            Frontdoor(stage.world, folder / str(number), token, ports_moved_by=number * _PORTS_APART)
            for number in range(1, PODS)
        ]
        try:
            for pod in more:
                pod.start()
            yield [stage.contestant(Frontdoor), *more]
        finally:
            for pod in more:
                pod.stop()
