"""Whole pulls by a real client: requests to ECR and S3, and duration."""

import tempfile
import time

from testbed.bench.content import REPOSITORY, TAG
from testbed.bench.contestants import Contestant, Direct, Frontdoor, Limit
from testbed.bench.stage import Stage
from testbed.sandbox.commands import run
from testbed.sandbox.installation import logged_in
from testbed.sandbox.pulls import anonymous

MEASURE = "pull"


def measure(stage: Stage, number: int) -> None:
    """Cold, warm by digest, warm by tag within its TTL, and warm by tag after it."""
    measure_at_once(stage, number)
    ours = stage.contestant(Frontdoor)
    time.sleep(ours.tag_seconds + 1.1 if isinstance(ours, Frontdoor) else 0)
    for contestant in _pulled(stage, number):
        _pull(stage, contestant, number, "warm, by tag, later", f":{TAG}")


def measure_at_once(stage: Stage, number: int) -> None:
    """All cases except the last."""
    for contestant in _pulled(stage, number):
        contestant.make_cold()
        _pull(stage, contestant, number, "cold, by tag", f":{TAG}")
        _pull(stage, contestant, number, "warm, by tag, at once", f":{TAG}")
        _pull(stage, contestant, number, "warm, by digest", f"@{stage.content.image.digest}", again=True)


def _pulled(stage: Stage, number: int) -> list[Contestant]:
    return [contestant for contestant in stage.turns(number) if not isinstance(contestant, Limit)]


def _pull(stage: Stage, contestant: Contestant, number: int, case: str, reference: str, *, again: bool = False) -> None:
    """Pull once; with `again` twice, the second counts: the manifest by digest may not be cached yet."""
    image = f"{contestant.origin.partition('://')[2]}/{REPOSITORY}{reference}"
    environment = logged_in(stage.world) if isinstance(contestant, Direct) else anonymous(stage.world)
    for _ in range(2 if again else 1):
        with tempfile.TemporaryDirectory(dir=stage.folder) as folder:
            mark = stage.control.mark()
            began = time.monotonic()
            run(("crane", "pull", "--format=oci", image, folder), environment=environment)
            seconds = time.monotonic() - began
    seen = stage.control.requests(mark)
    stage.record(
        contestant,
        (MEASURE, case),
        number,
        ecr_requests=seen.count("registry"),
        s3_requests=seen.count("s3.layer"),
        seconds=seconds,
    )
