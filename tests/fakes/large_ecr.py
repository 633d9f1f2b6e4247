"""5,000 repositories with 20 tags and more each, as companies have them: made when asked for, from random bytes.

Digests, revisions, sizes and instants are as random as the real ones, since they decide how small the catalogue gets.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from random import Random
from typing import Any

from lambda_fn.job.catalogue.ports import Contents, Listed
from lambda_fn.settings.registry import Registry
from tests.fakes.clock import STARTED_AT, FakeClock
from tests.fakes.ecr_catalogue import CONFIG, INDEX, MANIFEST

TEAMS = ("payments", "search", "identity", "logistics", "data-platform", "web", "mobile", "billing", "risk", "infra")
TAGS = 20
OTHERS = 10
"""Older images of each repository, which the catalogue does not show."""


class LargeEcr:
    """Repositories by number.

    Args:
        count: How many.
        clock: Moves by the time that ECR takes for each call.
        multi_platform: The part of the repositories whose images have two platforms.
        labels: Whether the images have the labels that `docker/metadata-action` gives them.

    Attributes:
        asked: How often each method was called.
    """

    def __init__(self, count: int, clock: FakeClock, *, multi_platform: float = 0.2, labels: bool = True) -> None:
        self.names = [self._name(number) for number in range(count)]
        self._clock = clock
        self._multi_platform = multi_platform
        self._labels = labels
        self.asked: Counter[str] = Counter()
        self.seconds = {"repositories": 0.1, "images": 0.06, "manifests": 0.06, "configurations": 0.02}
        self._contents: dict[str, bytes] = {}

    @staticmethod
    def _name(number: int) -> str:
        random = Random(number)  # noqa: S311 - not a secret
        return (
            f"team/{random.choice(TEAMS)}/{random.choice(('api', 'worker', 'ui', 'job'))}-{random.randbytes(3).hex()}"
        )

    def repositories(self, registry: Registry) -> list[str]:
        del registry
        for _ in range(0, len(self.names), 1_000):
            self._ask("repositories")
        return self.names

    def images(self, registry: Registry, repository: str) -> Sequence[Listed]:
        del registry
        self._ask("images")
        self._contents.clear()
        random = Random(repository)  # noqa: S311 - not a secret
        is_index = random.random() < self._multi_platform
        return [
            image
            for number in range(TAGS + OTHERS)
            for image in (self._index if is_index else self._image)(random, repository, number)
        ]

    def manifests(self, registry: Registry, repository: str, digests: Iterable[str]) -> Contents:
        del registry, repository
        self._ask("manifests")
        return Contents({digest: self._contents[digest] for digest in digests})

    def configurations(self, registry: Registry, repository: str, digests: Iterable[str]) -> Contents:
        del registry, repository
        wanted = [*digests]
        self._ask("configurations", len(wanted))
        return Contents({digest: self._contents[digest] for digest in wanted})

    def _ask(self, method: str, count: int = 1) -> None:
        self.asked[method] += count
        self._clock.sleep(self.seconds[method] * count)

    def _image(
        self, random: Random, repository: str, number: int, *, tagged: bool = True, architecture: str = "amd64"
    ) -> list[Listed]:
        digest, configuration = _digest(random), _digest(random)
        pushed_at = STARTED_AT - timedelta(days=number, seconds=random.randrange(86_400))
        revision = random.randbytes(20).hex()
        labels = {
            "org.opencontainers.image.created": pushed_at.isoformat(timespec="milliseconds"),
            "org.opencontainers.image.description": f"The {repository.rpartition('/')[2]} service",
            "org.opencontainers.image.licenses": "",
            "org.opencontainers.image.revision": revision,
            "org.opencontainers.image.source": f"https://git.example.com/{repository}",
            "org.opencontainers.image.title": repository.rpartition("/")[2],
            "org.opencontainers.image.url": f"https://git.example.com/{repository}",
            "org.opencontainers.image.version": f"1.{100 - number}.{random.randrange(9)}",
        }
        document = {"os": "linux", "architecture": architecture, "config": {"Labels": labels if self._labels else None}}
        self._contents[configuration] = json.dumps(document).encode()
        size = random.randrange(20_000_000, 600_000_000)
        self._contents[digest] = _manifest(configuration, len(self._contents[configuration]), size)
        tags = (f"1.{100 - number}.0-{revision[:7]}",) if tagged else ()
        pulled_at = pushed_at + timedelta(seconds=random.randrange(86_400 * 20)) if random.random() < 0.7 else None
        listed: dict[str, Any] = {"digest": digest, "tags": tags, "pushed_at": pushed_at, "pulled_at": pulled_at}
        return [Listed(**listed, size_bytes=size, media_type=MANIFEST, artifact_type=CONFIG)]

    def _index(self, random: Random, repository: str, number: int) -> list[Listed]:
        images = [
            self._image(random, repository, number, tagged=False, architecture=each)[0] for each in ("amd64", "arm64")
        ]
        digest = _digest(random)
        self._contents[digest] = json.dumps(
            {
                "mediaType": INDEX,
                "manifests": [
                    {"digest": image.digest, "platform": {"os": "linux", "architecture": architecture}}
                    for image, architecture in zip(images, ("amd64", "arm64"), strict=True)
                ],
            }
        ).encode()
        tag = f"1.{100 - number}.0-{random.randbytes(4).hex()[:7]}"
        first = images[0]
        listed: dict[str, Any] = {"digest": digest, "tags": (tag,), "pushed_at": first.pushed_at}
        return [*images, Listed(**listed, pulled_at=first.pulled_at, size_bytes=first.size_bytes, media_type=INDEX)]


def _digest(random: Random) -> str:
    return f"sha256:{random.randbytes(32).hex()}"


def _manifest(configuration: str, configuration_bytes: int, size: int) -> bytes:
    document = {
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": configuration, "size": configuration_bytes},
        "layers": [{"digest": f"sha256:{'0' * 64}", "size": size}],
    }
    return json.dumps(document).encode()
