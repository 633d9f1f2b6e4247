"""What a round of the catalogue needs from outside. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from lambda_fn.contract.errors import RegistryError
from lambda_fn.settings.registry import Registry


class RepositoryGoneError(RegistryError):
    """The repository does not exist, or no longer."""


class DeniedError(RegistryError):
    """The watcher's role may not read it. The other repositories may still be readable."""


class ThrottledError(RegistryError):
    """Too many callers share the account's quota; nothing more is asked in this run."""


class SlowError(RegistryError):
    """The invocation has too little time left to read the rest of the repository."""


class UnreachableError(RegistryError):
    """No answer comes from the region; nothing more is asked of this registry in this run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One image as ECR's DescribeImages describes it, without a look at its manifest.

    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageDetail.html

    Attributes:
        digest: Of its manifest.
        tags: In no order; none for the manifest of a platform, and for most signatures.
        pushed_at: When its manifest was pushed last.
        pulled_at: ECR's last recorded pull; None for an image that was never pulled.
        size_bytes: Compressed; that of the largest manifest where it is an index.
        media_type: Of its manifest.
        artifact_type: Of its configuration, or what it says that it is.
        subject: The digest of the manifest that it refers to.
        findings: How many findings each severity has; empty where ECR did not scan.
    """

    digest: str
    tags: tuple[str, ...] = ()
    pushed_at: datetime
    pulled_at: datetime | None = None
    size_bytes: int = 0
    media_type: str = ""
    artifact_type: str = ""
    subject: str = ""
    findings: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Contents:
    """Manifests or configurations that were asked for by their digests.

    Attributes:
        found: Those that were read.
        problems: Why others were not; an image that was deleted meanwhile is no problem.
        is_cut_off: Whether one of them says that there is no way to any content: no route, or no permission.
    """

    found: Mapping[str, bytes] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    is_cut_off: bool = False


class Images(Protocol):
    """The images of ECR. Each method raises one of the errors above, or another RegistryError."""

    def repositories(self, registry: Registry) -> Iterable[str]:
        """The names of all repositories of the registry, allowed or not."""

    def images(self, registry: Registry, repository: str) -> Sequence[Listed]:
        """The images of one repository that can be pulled, tagged or not, in no order."""

    def manifests(self, registry: Registry, repository: str, digests: Iterable[str]) -> Contents:
        """Manifests as they were pushed. ECR counts this as a pull, except of a role that it excludes."""

    def configurations(self, registry: Registry, repository: str, digests: Iterable[str]) -> Contents:
        """Configurations of images, each verified against its digest. This is no pull."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One file of the catalogue in the cluster.

    Attributes:
        content: Its bytes; None where there are none yet.
        version: Of the object that holds it; None where there is none.
    """

    content: bytes | None
    version: str | None


class Store(Protocol):
    """The files of `contract.objects.catalogue_config_maps`. Each method raises ClusterError when the API fails."""

    def read(self, file: str) -> Stored:
        """The file as it is."""

    def write(self, file: str, content: bytes, *, version: str | None) -> bool:
        """Replace what `read` gave with that version; False, without a change, where it has another one by now."""
