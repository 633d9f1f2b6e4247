"""What a proxy pod keeps, where, and for how long. Pure."""

from pydantic import Field

from lambda_fn.settings.fields import ObjectName
from lambda_fn.settings.table import Table


class Cache(Table):
    """What a proxy pod keeps of what it has served. Each pod has its own, and it ends with the pod."""

    size_gib: int = Field(default=8, ge=1, le=16384)
    """How much of blobs a pod keeps, in GiB; what was not asked for the longest goes first. The volume is larger by a
    quarter, and by 2 GiB at least: what is being fetched needs room, too.
    """
    storage_class: ObjectName | None = None
    """The StorageClass of a volume that is made for each pod and deleted with it. By default the cache lies on the
    node's own disk (an emptyDir with a limit), which has to have the room.
    """
    slice_mib: int = Field(default=4, ge=1, le=64)
    """Blobs are fetched and kept in slices of so many MiB. Clients that wait for the same blob get it a slice at a
    time: smaller slices reach them sooner, larger ones cost S3 fewer requests.
    """
    keep_days: int = Field(default=30, ge=1, le=365)
    """What nobody has asked for in so many days is dropped."""
    tag_seconds: int = Field(default=10, ge=2, le=3600)
    """How long a tag is answered without asking ECR, in seconds. A tag that is moved is seen within this time. At least
    2: nginx counts in whole seconds, and what is kept for one may be served for nearly two.
    """
    unknown_seconds: int = Field(default=3, ge=1, le=60)
    """How long ECR's answer that there is no such tag or blob is repeated without asking again, in seconds, and up to
    one more: nginx counts in whole ones.
    """
    location_seconds: int = Field(default=600, ge=1, le=1800)
    """How long the signed URL of a blob is used for its further slices, in seconds. ECR signs for an hour."""

    @property
    def volume_gib(self) -> int:
        """The size of the volume, in GiB: nginx looks every ten seconds whether it has to drop something."""
        return self.size_gib + max(2, self.size_gib // 4)
