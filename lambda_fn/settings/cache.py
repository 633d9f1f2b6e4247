"""What a proxy pod caches, where, and for how long. Pure."""

from pydantic import Field

from lambda_fn.settings.fields import ObjectName
from lambda_fn.settings.table import Table


class Cache(Table):
    """The cache of a proxy pod. Each pod has its own, which is deleted with the pod."""

    size_gib: int = Field(default=8, ge=1, le=16384)
    """The size of the blob cache of a pod, in GiB. The least recently used content is evicted first. The volume is a
    quarter larger, and at least 2 GiB larger, because downloads in progress need space too.
    """
    storage_class: ObjectName | None = None
    """The StorageClass of a volume that is created for each pod and deleted with it. By default the cache is an
    emptyDir with a size limit on the node's disk, which must have the space.
    """
    slice_mib: int = Field(default=4, ge=1, le=64)
    """The size of the slices in which blobs are fetched and cached, in MiB. Clients that wait for the same blob receive
    it slice by slice: smaller slices arrive sooner, larger slices need fewer requests to S3.
    """
    keep_days: int = Field(default=30, ge=1, le=365)
    """After how many days without a request content is evicted."""
    tag_seconds: int = Field(default=10, ge=2, le=3600)
    """The TTL of a tag, in seconds: a tag that is pushed again is visible after at most this time. At least 2, because
    nginx counts whole seconds, so a TTL of one second may last nearly two.
    """
    unknown_seconds: int = Field(default=3, ge=1, le=60)
    """The TTL of the response that a tag or blob does not exist (negative caching), in seconds. It may last up to one
    second longer, because nginx counts whole seconds.
    """
    location_seconds: int = Field(default=600, ge=1, le=1800)
    """How long the signed URL of a blob is used for its other slices, in seconds. ECR signs URLs for one hour."""

    @property
    def volume_gib(self) -> int:
        """The size of the volume, in GiB: nginx checks only every ten seconds whether it must evict content."""
        return self.size_gib + max(2, self.size_gib // 4)
