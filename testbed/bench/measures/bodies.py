"""Blobs about as large as a socket's buffer, one after the other on one connection: nothing may wait for a timer."""

from testbed.bench import curl
from testbed.bench.content import blob_path
from testbed.bench.measures.load import loaded
from testbed.bench.plan import KIB
from testbed.bench.stage import Stage, headers

MEASURE = "bodies"


def measure(stage: Stage, number: int) -> None:
    """Each size, warm, from every contestant that serves blobs itself."""
    for size_bytes, digest in stage.content.medium.items():
        for contestant in stage.turns(number):
            if contestant.redirects:
                continue
            url = f"{contestant.origin}{blob_path(digest)}"
            curl.download(url, headers(contestant), clients=1)  # now it is warm
            about = (MEASURE, f"{size_bytes / KIB:.0f} KiB")
            done = loaded(stage, contestant, about, url, connections=1)
            if done:
                stage.record(
                    contestant, about, number, p50_seconds=done[0].p50_seconds, p99_seconds=done[0].p99_seconds
                )
