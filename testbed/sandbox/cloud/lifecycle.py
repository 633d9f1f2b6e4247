"""When each image was last pulled, and the lifecycle rules of ECR that look at it. Pure.

An image is a manifest in a repository. A rule's action hides it, which pulls see as 404: `archive` and `expire` alike.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from testbed.sandbox.cloud.hosts import RegistryHost

_RECORDED_AGAIN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class ImageId:
    """One image of one registry."""

    host: RegistryHost
    repository: str
    digest: str


@dataclass
class Lifecycle:
    """The images that were pushed, until a rule takes them away.

    Args:
        now: The real time.

    Attributes:
        ahead: How far ECR's clock is ahead of the real one. Tokens and signatures keep the real time.
    """

    now: Callable[[], datetime]
    ahead: timedelta = timedelta()
    _used: dict[ImageId, datetime] = field(default_factory=dict)
    _pulled: dict[ImageId, datetime] = field(default_factory=dict)
    _hidden: set[ImageId] = field(default_factory=set)

    def pushed(self, image: ImageId) -> None:
        """An image that was never pulled counts as pulled at its push; a push brings a hidden one back."""
        self._used[image] = self._time()
        self._hidden.discard(image)

    def pulled(self, image: ImageId) -> None:
        """A GET of its manifest: HEAD, and GET of its blobs, are no pull. ECR may record only one in 24 hours."""
        recorded = self._pulled.get(image)
        if recorded is None or self._time() - recorded >= _RECORDED_AGAIN:
            self._used[image] = self._pulled[image] = self._time()

    def is_hidden(self, image: ImageId) -> bool:
        """Whether a rule has taken it away."""
        return image in self._hidden

    def exists(self, image: ImageId) -> bool:
        """Whether ECR's API describes it: it was pushed, and neither deleted nor taken away."""
        return image in self._used and image not in self._hidden

    def last_pull(self, image: ImageId) -> datetime | None:
        """ECR's `lastRecordedPullTime`; `None` for an image that was never pulled."""
        return self._pulled.get(image)

    def apply(self, host: RegistryHost, repository: str, unused: timedelta) -> list[str]:
        """Take away what was not pulled within the time `unused`; returns the digests."""
        oldest = self._time() - unused
        gone = [
            image
            for image, used in self._used.items()
            if (image.host, image.repository) == (host, repository) and used < oldest and image not in self._hidden
        ]
        self._hidden.update(gone)
        return sorted(image.digest for image in gone)

    def hide(self, image: ImageId) -> None:
        """Take one away, as `BatchDeleteImage` does."""
        self._hidden.add(image)

    def restore(self, image: ImageId) -> None:
        """Bring one back, as a restore from the archive does."""
        self._hidden.discard(image)

    def _time(self) -> datetime:
        return self.now() + self.ahead
