"""How long the proxy waits for ECR and S3, and how long it leaves them alone when they fail. Pure."""

from pydantic import Field

from lambda_fn.settings.table import Table


class Timeouts(Table):
    """How long a pull waits for ECR and S3 before the client is told. Nothing that is kept waits for anybody."""

    connect_seconds: int = Field(default=3, ge=1, le=30)
    """For a connection to one address of ECR or S3, and again for its TLS handshake, in seconds. Both take milliseconds
    inside a region; three seconds survive one lost packet. An address that is silent for so long is given up for
    another one, once.
    """
    ecr_seconds: int = Field(default=15, ge=2, le=120)
    """For ECR's answer, in seconds. It answers within a second; through a pull-through cache rule it fetches an image
    for the first time, which takes several.
    """
    s3_seconds: int = Field(default=30, ge=2, le=300)
    """For S3's first byte, and for each next one, in seconds. S3 begins within a fraction of a second; a body that
    stands still for so long does not go on.
    """
    pause_seconds: int = Field(default=5, ge=1, le=60)
    """How long ECR is left alone when it has failed three times in a row, in seconds; then one request asks whether it
    is back. When ECR throttles, it is left alone for as long as its `Retry-After` says, a minute at most.
    """

    @property
    def ecr_deadline_seconds(self) -> int:
        """The longest until ECR's answer is there, or is given up: a silent address, then one that answers late."""
        return 3 * self.connect_seconds + self.ecr_seconds

    @property
    def blob_deadline_seconds(self) -> int:
        """The longest until a blob's first byte: ECR, S3, and both again when S3 refuses a redirect that was kept."""
        return 2 * (self.ecr_deadline_seconds + 3 * self.connect_seconds + self.s3_seconds)
