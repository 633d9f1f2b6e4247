"""How the double behaves: sizes, lifetimes and faults, as one value that tests set and reset. Pure."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Outage = Literal["refused", "reset"]


class Behaviour(BaseModel):
    """The defaults are a healthy AWS; any other value is a fault or a size to test."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    region: str | None = None
    """The one region whose registries, layer bucket and ECR API behave like this; the others are healthy."""

    ministack_network: Mapping[str, Any] | None = None
    """MiniStack answers in the place of moto, but for STS and EKS, whose cluster is in this network of it, as EKS
    describes it: see `testbed.sandbox.deployment.ministack`.
    """

    token_characters: int = Field(default=6400, ge=64)
    """Length of authorizationToken; 6,400 is what role credentials get since January 2025."""
    token_lifetime_seconds: float = 12 * 3600
    """Lifetime from the issue; negative for a token that is issued expired."""
    token_api_error: Literal["AccessDeniedException", "ThrottlingException", "ServerException"] | None = None
    """GetAuthorizationToken fails with this error."""
    images_api_error: Literal["ThrottlingException", "ServerException"] | None = None
    """The operations of ECR's API on repositories, images and layers fail with this error."""

    registry_status: Literal[400, 429, 500, 502, 503] | None = None
    """Every request with a valid token (or those of `registry_actions`) gets this status."""
    registry_retry_after_seconds: int | None = None
    """`Retry-After` on that status."""
    registry_actions: frozenset[str] = frozenset()
    """IAM actions that `registry_status` and `registry_delay_seconds` are limited to; empty: all and the ping."""
    registry_requests_per_second: int | None = Field(default=None, ge=1)
    """All registries together answer so many requests in each second; the others are throttled (429). Pushes do not
    count.
    """
    registry_delay_seconds: float = 0
    """Wait before the first byte of an answer."""
    registry_held_actions: frozenset[str] = frozenset()
    """Answers to these IAM actions wait until they are no longer named here. The answer is decided when the
    request arrives.
    """
    registry_outage: Outage | None = None
    """Connections to the registries are refused, or accepted and reset; open ones are closed."""
    registry_forbids_caching: bool = False
    """Every answer forbids caching in every way that nginx knows (`answers.NO_CACHING_HEADERS`)."""
    layer_content_type: str = "application/octet-stream"
    """The type that S3 gives layers."""
    list_cursor: str | None = Field(default=None, pattern=r"^[A-Za-z-]+$")
    """The name of the query parameter with the cursor of a list, instead of ECR's."""
    denied_actions: frozenset[str] = frozenset()
    """IAM actions that the token's principal lacks, such as `ecr:BatchGetImage`."""

    pull_through: frozenset[str] = frozenset()
    """The prefixes of cache rules: see `testbed.sandbox.cloud.imports`."""
    import_seconds: float = 0
    """How long an import takes."""
    import_refused: bool = False
    """The upstream refuses the credential of the rule."""
    import_status: Literal[429, 500, 503] | None = None
    """Every import ends in this status."""
    imports_redirect: bool = False
    """Blobs of mirrored repositories are redirected to the upstream's CDN (`World.cdn_host`)."""

    location_lifetime_seconds: int = Field(default=3600, ge=1)
    """`X-Amz-Expires` of a blob's Location."""
    location_characters: int | None = Field(default=None, ge=1024)
    """Length of a blob's Location, by a longer `X-Amz-Security-Token`; `None`: about 1.5 k."""
    location_host: str | None = None
    """Host of the Location instead of the layer bucket's; path and query stay."""
    location_relative: bool = False
    """The Location has neither scheme nor host."""

    s3_status: Literal[403, 404, 500, 503] | None = None
    """Every signed GET of a layer gets this status."""
    s3_delay_seconds: float = 0
    """Wait before the first byte of a layer."""
    s3_bytes_per_second: int | None = Field(default=None, ge=1)
    """Rate of a layer's body on each connection."""
    s3_cut_after_bytes: int | None = Field(default=None, ge=0)
    """The connection breaks after that many bytes of a layer's body."""
    s3_outage: Outage | None = None
    """As `registry_outage`, for S3."""
    s3_etag_per_repository: bool = False
    """The same layer has another ETag and Last-Modified under each repository."""

    def of(self, region: str) -> "Behaviour":
        """How this region behaves."""
        return self if self.region in {None, region} else Behaviour()
