"""How long the proxy waits for ECR and S3, and how long the circuit breaker stays open. Pure."""

from pydantic import Field

from lambda_fn.settings.table import Table


class Timeouts(Table):
    """How long the proxy waits for ECR and S3 before it returns an error. Cached content is served without waiting."""

    connect_seconds: int = Field(default=3, ge=1, le=30)
    """The limit for a connection to one address of ECR or S3, and again for its TLS handshake, in seconds. Both take
    milliseconds inside a region; three seconds survive one lost packet. After this time the proxy tries one other
    address.
    """
    ecr_seconds: int = Field(default=15, ge=2, le=120)
    """The limit for ECR's response, in seconds. ECR usually responds within one second."""
    import_seconds: int = Field(default=50, ge=5, le=300)
    """The limit for ECR's response to a pull that makes it import an image (`pull_through`), in seconds. ECR goes on
    importing after it, so a later pull finds the image. containerd 1.6 and 1.7 wait a minute.
    """
    s3_seconds: int = Field(default=30, ge=2, le=300)
    """The limit for S3's first byte, and for each pause in the body, in seconds. S3 usually sends the first byte within
    a fraction of a second.
    """
    pause_seconds: float = Field(default=0.5, ge=0.5, le=60)
    """How long the circuit breaker stays open after three failures of ECR in a row, or one where a replica answers
    instead, in seconds; then one request probes ECR, and another one after the same time if that has no answer. With
    the default, cold pulls resume within a second of ECR's return. After a throttled request it stays open for the time
    in `Retry-After`, at most one minute.
    """

    @property
    def ecr_deadline_seconds(self) -> int:
        """The longest time until ECR has responded or failed: one silent address, then one that responds late."""
        return 3 * self.connect_seconds + self.ecr_seconds

    @property
    def import_deadline_seconds(self) -> int:
        """The same, where ECR may have to import an image."""
        return 3 * self.connect_seconds + self.import_seconds

    @property
    def blob_deadline_seconds(self) -> int:
        """The longest time until a blob's first byte: ECR, S3, and both again if S3 refuses a cached redirect."""
        return 2 * (self.ecr_deadline_seconds + 3 * self.connect_seconds + self.s3_seconds)
