"""The pull check of the Lambda, as an operator sets it. Pure."""

from typing import Annotated

from pydantic import Field

from lambda_fn.settings.authority import CertificateAuthority, pem
from lambda_fn.settings.fields import RepositoryName
from lambda_fn.settings.matching import Matching
from lambda_fn.settings.schedule import Rate, Schedule
from lambda_fn.settings.table import Table

# https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests
_REFERENCE = Matching(
    r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}|sha256:[0-9a-f]{64}", "a tag like latest, or a digest like sha256:..."
)


class Canary(Table):
    """A pull check: the Lambda pulls an image through the domain, after every refresh and on its own schedule."""

    repository: RepositoryName
    """A repository that `registries` allows. The Lambda connects from `cluster.subnet_ids`, so their ranges must be
    within `proxy.client_cidrs`.
    """
    reference: Annotated[str, _REFERENCE]
    """The tag or digest of an image. The check pulls its manifest and its smallest blob, of at most 16 MiB."""
    period_minutes: int = Field(default=15, ge=5, le=1440)
    """Minutes between two pulls."""
    certificate_authority: CertificateAuthority | None = None
    """The CA that issued the domain's certificate, PEM in base64 (`base64 -w0 ca.pem`), if it is not a public one: an
    internal issuer of cert-manager, or AWS Private CA. The check trusts it in addition to the public CAs.
    """

    @property
    def schedule(self) -> Schedule:
        """When the canary pulls: never late, since the next pull is due soon."""
        return Rate(self.period_minutes)

    @property
    def authority(self) -> str | None:
        """The certificates of `certificate_authority` as PEM."""
        return pem(self.certificate_authority) if self.certificate_authority else None
