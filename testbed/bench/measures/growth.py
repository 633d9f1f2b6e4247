"""The speed and memory of a cache by the number of blobs in it.

The double signs some 300 redirects a second, so it would take minutes to fill a cache with 100,000 blobs. Here, and
only here, ECR and S3 are a plain nginx that answers every digest with the same 1,000 bytes. The cache is the
contestant's own, filled by requests.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from testbed.bench.content import REPOSITORY
from testbed.bench.contestants import Contestant, Distribution, Frontdoor, Limit, WholeFile
from testbed.bench.measures.load import loaded
from testbed.bench.process import nginx
from testbed.bench.stage import Stage
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.hosts import pointed

MEASURE = "cached blobs"
BLOB_BYTES = 1000
_ADDRESS = "127.0.0.77"
_PATH = f"/v2/{REPOSITORY}/blobs/sha256:"
_LONGEST_SECONDS = 600


def measure(stage: Stage, _: int) -> None:
    """Fill step by step; at each step request blobs at random, in rounds of its own."""
    contestants = [c for c in stage.contestants if isinstance(c, WholeFile | Frontdoor | Limit)]
    with _light_upstream(stage):
        for contestant in contestants:
            contestant.stop()
            contestant.make_cold()
            contestant.start()
        there = 0
        for blobs in stage.plan.cached_blobs:
            for contestant in contestants:
                _fill(stage, contestant, there, blobs)
            for number in range(stage.plan.rounds):
                for contestant in contestants if number % 2 == 0 else reversed(contestants):
                    _ask(stage, contestant, number, blobs)
            there = blobs
            contestants = [c for c in contestants if not isinstance(c, WholeFile)]
    _leave_out(stage)


def _leave_out(stage: Stage) -> None:
    reason = "not filled: each blob costs it new connections to ECR and S3, which takes longer than a run"
    more = f"more than {stage.plan.cached_blobs[0]:,} cached blobs"
    stage.gap(stage.contestant(WholeFile), more, reason)
    stage.gap(stage.contestant(Distribution), MEASURE, reason)


def _ask(stage: Stage, contestant: Contestant, number: int, blobs: int) -> None:
    done = loaded(stage, contestant, (MEASURE, f"{blobs:,}"), contestant.origin, blobs=(_PATH, blobs))
    if done is None:
        return
    load, used = done
    stage.record(
        contestant,
        (MEASURE, f"{blobs:,}"),
        number,
        requests_per_second=load.requests_per_second,
        p99_seconds=load.p99_seconds,
        peak_megabytes=used.peak_bytes / 1e6,
    )


def _fill(stage: Stage, contestant: Contestant, start: int, stop: int) -> None:
    if isinstance(contestant, Limit):
        _files(stage, contestant, stop)
        return
    # curl counts through the range by itself, with the zeros of the first number.
    url = f"{contestant.origin}{_PATH}{'0' * 57}[{start:07}-{stop - 1:07}]"
    options = ("--silent", "--show-error", "--fail", "--parallel", "--parallel-max", "64", "--output", "/dev/null")
    done = subprocess.run(
        ("curl", *options, "--write-out", "%{http_code}\n", url),
        capture_output=True,
        text=True,
        timeout=_LONGEST_SECONDS,
        check=False,
    )
    answered = done.stdout.count("200\n")
    if answered != stop - start:
        raise SandboxError(f"{contestant.title} served {answered} of {stop - start} blobs: {done.stderr[:300]}")


def _files(stage: Stage, contestant: Contestant, blobs: int) -> None:
    """The limit has a file of its own for each, as a cache has."""
    if not isinstance(contestant, Limit):
        return
    folder = stage.folder / "limit" / "files" / _PATH.removeprefix("/").rpartition("/")[0]
    for number in range(blobs):
        file = folder / f"sha256:{number:064}"
        if not file.exists():
            file.write_bytes(os.urandom(BLOB_BYTES))


@contextmanager
def _light_upstream(stage: Stage) -> Iterator[None]:
    """The names of ECR and S3 resolve to the plain nginx for the block."""
    world, folder = stage.world, stage.folder / "upstream"
    (folder / "files").mkdir(parents=True, exist_ok=True)
    (folder / "files" / "blob").write_bytes(os.urandom(BLOB_BYTES))
    for name in ("ecr", "s3"):
        shutil.copy(world.pair(name).certificate, folder / f"{name}.crt")
        shutil.copy(world.pair(name).key, folder / f"{name}.key")
    values = {"address": _ADDRESS, "ecr_host": world.ecr_host, "layer_host": world.layer_host}
    upstream = nginx(world, folder, "upstream.conf.j2", values)
    upstream.start(443, _ADDRESS)
    try:
        with pointed(world, {_ADDRESS: (world.ecr_host, world.layer_host)}):
            yield
    finally:
        upstream.stop()
