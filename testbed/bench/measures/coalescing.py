"""Many clients that want the same cold blob at once."""

from testbed.bench import curl
from testbed.bench.content import blob_path
from testbed.bench.contestants import Limit
from testbed.bench.stage import Stage, headers
from testbed.sandbox.cloud.behaviour import Behaviour

MEASURE = "coalescing"


def measure(stage: Stage, number: int) -> None:
    """Each number of concurrent clients in the plan; S3 is as slow as the real one for each connection."""
    for clients in stage.plan.concurrent_clients:
        for contestant in stage.turns(number):
            if isinstance(contestant, Limit):
                continue
            contestant.make_cold()
            mark = stage.control.mark()
            with stage.control.behaving(Behaviour(s3_bytes_per_second=stage.plan.coalescing_s3_bytes_per_second)):
                url = f"{contestant.origin}{blob_path(stage.content.large)}"
                downloads = curl.download(url, headers(contestant), clients=clients)
            seen = stage.control.requests(mark)
            about = (MEASURE, f"{clients} clients")
            stage.record(
                contestant,
                about,
                number,
                ecr_requests=seen.count("registry"),
                s3_bytes_ratio=seen.sent_bytes("s3.layer") / stage.plan.large_bytes,
                first_byte_first_seconds=min(d.first_byte_seconds for d in downloads),
                first_byte_last_seconds=max(d.first_byte_seconds for d in downloads),
                finish_first_seconds=min(d.seconds for d in downloads),
                finish_last_seconds=max(d.seconds for d in downloads),
            )
            for place, one in enumerate(sorted(downloads, key=lambda d: d.first_byte_seconds)):
                figures = {f"client_{place:02}_first_byte_seconds": one.first_byte_seconds}
                stage.record(contestant, about, number, **figures, **{f"client_{place:02}_finish_seconds": one.seconds})
