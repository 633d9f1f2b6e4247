"""What a proxy pod caches, where, and for how long. Pure."""

from math import ceil

from pydantic import Field

from lambda_fn.settings.fields import ObjectName
from lambda_fn.settings.table import Table

_KEYS_FOR_EACH_MIB = 8000
"""https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_cache_path"""
_RETRY_SECONDS = 600
_DAY_SECONDS = 86_400
_SMALLEST_KEY_ZONE_MIB = 32
"""256,000 keys: 8 GiB of blobs of 32 KiB. nginx uses memory of a zone only for the keys that it holds."""


class Cache(Table):
    """The cache of a proxy pod. Each pod has its own, which is deleted with the pod."""

    size_gib: int = Field(default=8, ge=1, le=16384)
    """The size of the blob cache of a pod, in GiB. The least recently used content is evicted first. The volume is a
    quarter larger, and at least 2 GiB larger, because downloads in progress need space too. The keys of a full cache
    may take a quarter of `proxy.resources.memory_limit`: with the defaults that allows 1,600 GiB.
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
    """The TTL of a tag, in seconds: a tag that is pushed again is visible within this time, or a second later. At least
    2, because nginx counts whole seconds, so a TTL of one second may last nearly two.
    """
    unknown_seconds: int = Field(default=3, ge=1, le=60)
    """The TTL of the response that a tag or blob does not exist (negative caching), in seconds: what is pushed is
    visible within this time, or a second later.
    """
    location_seconds: int = Field(default=600, ge=1, le=1800)
    """How long the signed URL of a blob is used for its other slices, in seconds. ECR signs URLs for one hour."""

    revalidate_seconds: int = Field(default=72000, ge=1, le=604800)
    """After how many seconds an image that clients get from the cache is pulled from ECR again, in the background. This
    keeps ECR's last pull time right, and shows deletions. By default 20 hours: ECR records a pull once in 24 hours.
    """
    deleted_seconds: int = Field(default=86400, ge=0, le=604800)
    """How long an image that ECR no longer has is still served by digest, with a warning, in seconds. 0 refuses it as
    soon as its deletion is noticed.
    """

    @property
    def retry_seconds(self) -> int:
        """When an image is asked for again that ECR did not send, in seconds."""
        return min(_RETRY_SECONDS, self.revalidate_seconds)

    @property
    def known_days(self) -> int:
        """For how long a pod knows an image, in days: longer than it is cached, asked for and served without ECR."""
        return self.keep_days + ceil((self.revalidate_seconds + self.deleted_seconds) / _DAY_SECONDS)

    @property
    def volume_gib(self) -> int:
        """The size of the volume, in GiB: nginx checks only every two seconds whether it must evict content."""
        return self.size_gib + max(2, self.size_gib // 4)

    @property
    def full_key_zone_mib(self) -> int:
        """The memory for the keys of a full cache, in MiB: a key for each full slice, and one for each blob's end.

        This assumes that blobs have 1 MiB on average, the images' small configurations among them. A cache of smaller
        blobs is not full when its zone is: nginx then evicts early.
        """
        blobs = self.size_gib * 1024
        return ceil((blobs + blobs / self.slice_mib) / _KEYS_FOR_EACH_MIB)

    @property
    def key_zone_mib(self) -> int:
        """The size of the shared memory zone for the keys of blobs, in MiB."""
        return max(_SMALLEST_KEY_ZONE_MIB, self.full_key_zone_mib)
