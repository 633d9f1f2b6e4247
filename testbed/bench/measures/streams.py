"""Large blobs in one stream and in eight, and what serving them costs."""

import time

from testbed.bench import curl, usage
from testbed.bench.content import blob_path
from testbed.bench.contestants import Contestant
from testbed.bench.plan import GIB, MIB
from testbed.bench.stage import Stage, headers

MEASURE = "streams"
TLS = "streams over TLS"
COST = "cost"
STREAMS = (1, 8)
_HUGE_ROUNDS = 3


def measure(stage: Stage, number: int) -> None:
    """Each size in each number of streams, and the same size over TLS in one."""
    sizes = {stage.content.large: stage.plan.large_bytes, stage.content.huge: stage.plan.huge_bytes}
    for digest, size_bytes in sizes.items():
        if not digest or (digest == stage.content.huge and number >= _HUGE_ROUNDS):
            continue
        for streams in STREAMS:
            for contestant in stage.turns(number):
                if contestant.redirects and size_bytes > stage.plan.large_bytes:
                    reason = "the bytes come from S3's double at the speed of the double, whatever their number"
                    stage.gap(contestant, f"{MEASURE}: {named(size_bytes)}", reason)
                    continue
                _stream(stage, contestant, number, digest, streams)
    for contestant in stage.turns(number):
        if not contestant.redirects:
            _secure_stream(stage, contestant, number)


def named(size_bytes: int) -> str:
    """A size as people say it."""
    return f"{size_bytes // GIB} GiB" if size_bytes >= GIB else f"{size_bytes // MIB} MiB"


def _stream(stage: Stage, contestant: Contestant, number: int, digest: str, streams: int) -> None:
    size_bytes = stage.plan.huge_bytes if digest == stage.content.huge else stage.plan.large_bytes
    url = f"{contestant.origin}{blob_path(digest)}"
    if contestant.caches and not number:
        curl.download(url, headers(contestant), clients=1)  # now it is warm
    with usage.watched(contestant.processes()) as used:
        seconds = _seconds(url, contestant, streams)
    gigabytes = streams * size_bytes / 1e9
    case = f"{named(size_bytes)}, {streams} stream{'s' if streams > 1 else ''}"
    stage.record(contestant, (MEASURE, case), number, gigabytes_per_second=gigabytes / seconds, seconds=seconds)
    if contestant.processes():
        stage.record(
            contestant,
            (COST, case),
            number,
            cpu_seconds_per_gigabyte=used.cpu_seconds / gigabytes,
            peak_megabytes=used.peak_bytes / 1e6,
        )


def _secure_stream(stage: Stage, contestant: Contestant, number: int) -> None:
    url = f"{contestant.secure_origin}{blob_path(stage.content.large)}"
    seconds = _seconds(url, contestant, 1)
    case = f"{named(stage.plan.large_bytes)}, 1 stream"
    speed = stage.plan.large_bytes / 1e9 / seconds
    stage.record(contestant, (TLS, case), number, gigabytes_per_second=speed, seconds=seconds)


def _seconds(url: str, contestant: Contestant, streams: int) -> float:
    """From the start of the first to the end of the last."""
    began = time.monotonic()
    downloads = curl.download(url, headers(contestant), clients=streams)
    whole = time.monotonic() - began
    # One client's own clock leaves curl's start out.
    return downloads[0].seconds if streams == 1 else min(whole, max(d.seconds for d in downloads))
