"""The speed and memory of a cache by the number of blobs in it.

The double signs some 300 redirects a second, so it would take minutes to fill a cache with 100,000 blobs. Here, and
only here, ECR and S3 are a plain nginx with files. The cache is the contestant's own, filled by requests, and
ecr-frontdoor has the highest `ecr_requests_per_second`.
"""

import hashlib
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from testbed.bench.content import blob_path
from testbed.bench.contestants import Contestant, Distribution, Frontdoor, Limit, WholeFile
from testbed.bench.measures.load import loaded
from testbed.bench.process import nginx
from testbed.bench.stage import Stage
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.hosts import pointed

MEASURE = "cached blobs"
BLOB_BYTES = 1000
_ADDRESS = "127.0.0.77"
_LONGEST_SECONDS = 600
_PROXY = "ecr_requests_per_second = 2000"


def measure(stage: Stage, _: int) -> None:
    """Fill step by step; at each step request blobs at random, in rounds of its own."""
    there: list[str] = []
    with _light_upstream(stage) as files, _contestants(stage) as started:
        contestants = list(started)
        for blobs in stage.plan.cached_blobs:
            new = [_write(files, number) for number in range(len(there), blobs)]
            for contestant in contestants:
                _fill(stage, contestant, files, new)
            there += new
            listed = stage.folder / "paths"
            listed.write_text("".join(f"{blob_path(digest)}\n" for digest in there))
            for number in range(stage.plan.rounds):
                for contestant in contestants if number % 2 == 0 else reversed(contestants):
                    _ask(stage, contestant, number, listed, blobs)
            contestants = [c for c in contestants if not isinstance(c, WholeFile)]
    _leave_out(stage)


@contextmanager
def _contestants(stage: Stage) -> Iterator[Sequence[Contestant]]:
    """Those that can be filled, with empty caches; nginx resolves the name of ECR when it starts."""
    token = stage.control.issue_token(stage.world.region).authorization
    stage.contestant(Frontdoor).stop()
    ours = Frontdoor(stage.world, stage.folder / "growing", token, proxy=_PROXY)
    contestants = [stage.contestant(WholeFile), ours, stage.contestant(Limit)]
    try:
        for contestant in contestants:
            contestant.stop()
            contestant.make_cold()
            contestant.start()
        yield contestants
    finally:
        ours.stop()


def _leave_out(stage: Stage) -> None:
    reason = "not filled: each blob costs it new connections to ECR and S3, which takes longer than a run"
    more = f"more than {stage.plan.cached_blobs[0]:,} cached blobs"
    stage.gap(stage.contestant(WholeFile), more, reason)
    stage.gap(stage.contestant(Distribution), MEASURE, reason)


def _ask(stage: Stage, contestant: Contestant, number: int, listed: Path, blobs: int) -> None:
    done = loaded(stage, contestant, (MEASURE, f"{blobs:,}"), contestant.origin, listed=listed)
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


def _write(files: Path, number: int) -> str:
    """Write a blob for the upstream; returns its digest, which the contestant's scrub compares."""
    content = f"{number:0{BLOB_BYTES}}".encode()
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    (files / digest).write_bytes(content)
    return digest


def _fill(stage: Stage, contestant: Contestant, files: Path, digests: Sequence[str]) -> None:
    """Request each blob once; the limit has a file of its own for each, as a cache has."""
    if isinstance(contestant, Limit):
        folder = stage.folder / "limit" / "files" / blob_path("").removeprefix("/")
        for digest in digests:
            shutil.copy(files / digest, folder / digest)
        return
    urls = stage.folder / "urls"
    lines = [f'url = "{contestant.origin}{blob_path(digest)}"\noutput = "/dev/null"\n' for digest in digests]
    urls.write_text("".join(lines))
    options = ("--silent", "--show-error", "--fail", "--parallel", "--parallel-max", "64", "--config", str(urls))
    done = subprocess.run(
        ("curl", *options, "--write-out", "%{http_code}\n"),
        capture_output=True,
        text=True,
        timeout=_LONGEST_SECONDS,
        check=False,
    )
    answered = done.stdout.count("200\n")
    if answered != len(digests):
        raise SandboxError(f"{contestant.title} served {answered} of {len(digests)} blobs: {done.stderr[:300]}")


@contextmanager
def _light_upstream(stage: Stage) -> Iterator[Path]:
    """The names of ECR and S3 resolve to the plain nginx for the block, which serves the files of the folder."""
    world, folder = stage.world, stage.folder / "upstream"
    (folder / "files").mkdir(parents=True, exist_ok=True)
    for name in ("ecr", "s3"):
        shutil.copy(world.pair(name).certificate, folder / f"{name}.crt")
        shutil.copy(world.pair(name).key, folder / f"{name}.key")
    values = {"address": _ADDRESS, "ecr_host": world.ecr_host, "layer_host": world.layer_host}
    upstream = nginx(world, folder, "upstream.conf.j2", values)
    upstream.start(443, _ADDRESS)
    try:
        with pointed(world, {_ADDRESS: (world.ecr_host, world.layer_host)}):
            yield folder / "files"
    finally:
        upstream.stop()
