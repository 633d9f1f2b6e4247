"""5,000 repositories with their 20 newest tags: how large the catalogue gets, and what reading it takes.

docs/decisions/0037-the-catalogue.md has the figures.
"""

import pytest

from lambda_fn.contract.objects import CATALOGUE_SHARDS
from lambda_fn.job.catalogue import entries, signatures
from lambda_fn.job.catalogue.details import Reader
from lambda_fn.job.catalogue.entries import Repository
from lambda_fn.job.catalogue.problems import Problems
from lambda_fn.job.catalogue.round import ROUND_EVERY, Run
from lambda_fn.job.catalogue.shards import EXTENTS, INDEX_FILE, LARGEST_BYTES, State, encode, shard_of
from lambda_fn.settings.routing import Routing, Served
from tests.fakes.clock import FakeClock
from tests.fakes.ecr_catalogue import REGISTRY, FakeFiles
from tests.fakes.large_ecr import TAGS, LargeEcr

REPOSITORIES = 5_000


def fullest_shard(ecr: LargeEcr) -> dict[str, Repository]:
    """The content of the shard that the most repositories fall to, and nothing left out."""
    by_shard = {shard: [n for n in ecr.names if shard_of(n) == shard] for shard in range(CATALOGUE_SHARDS)}
    reader, found = Reader(ecr, Problems()), dict[str, Repository]()
    for name in max(by_shard.values(), key=len):
        images = ecr.images(REGISTRY, name)
        chosen = entries.newest(images, TAGS)
        details = reader.read(Served(name, REGISTRY, name), [image.digest for image, _ in chosen])
        sizes = {image.digest: image.size_bytes for image in images}
        signed = signatures.find(images)
        built = [entries.build(image, tags, details[image.digest], sizes, signed) for image, tags in chosen]
        found[name] = Repository(images=built)
    return found


@pytest.mark.parametrize(
    ("multi_platform", "labels", "extent"),
    [(0.2, False, 0), (0.2, True, 1), (1.0, True, 4)],
    ids=["without labels", "eight labels an image", "two platforms and eight labels an image"],
)
def test_the_20_newest_tags_of_5000_repositories_fit(multi_platform: float, extent: int, *, labels: bool) -> None:
    ecr = LargeEcr(REPOSITORIES, FakeClock(), multi_platform=multi_platform, labels=labels)
    repositories = fullest_shard(ecr)
    assert len(repositories) > REPOSITORIES / CATALOGUE_SHARDS
    content, state = encode(repositories, State())
    assert len(content) == state.size_bytes <= LARGEST_BYTES
    assert state.extent <= extent
    assert EXTENTS[state.extent].tags == TAGS


@pytest.mark.long
@pytest.mark.timeout(900)
def test_rounds_of_5000_repositories_stay_within_a_minute_a_run_and_an_hour_a_round() -> None:
    clock = FakeClock(remaining_seconds=90)
    ecr, files = LargeEcr(REPOSITORIES, clock), FakeFiles()
    first = runs_of_a_round(ecr, files, clock)
    assert ecr.asked["images"] == REPOSITORIES
    assert ecr.asked["configurations"] == REPOSITORIES * TAGS
    assert first < 80
    clock.sleep(ROUND_EVERY.total_seconds())
    assert runs_of_a_round(ecr, files, clock) * 5 <= 60, "with a run each five minutes"
    assert ecr.asked["configurations"] == REPOSITORIES * TAGS, "each is read once"
    assert {len(content) <= LARGEST_BYTES for content in files.contents.values()} == {True}
    assert len(files.contents[INDEX_FILE]) < 100_000


def runs_of_a_round(ecr: LargeEcr, files: FakeFiles, clock: FakeClock) -> int:
    for run in range(1, 200):
        clock.begin_invocation()
        started_at = clock.now()
        report = Run(Routing([REGISTRY]), ecr, files, clock, findings=False).continue_round()
        assert (clock.now() - started_at).total_seconds() < 60
        if not report.left:
            return run
    raise AssertionError("the round does not end")
