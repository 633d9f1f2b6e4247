"""The clients that copy an image into a folder: skopeo, crane, oras, regctl."""

from collections.abc import Sequence
from pathlib import Path

from testbed.clients.client import CopyingClient


class Skopeo(CopyingClient):
    """The library of podman, without its storage."""

    name = "skopeo"

    def pulling(self, reference: str) -> Sequence[str | Path]:
        """See `Client`."""
        return ("skopeo", "copy", f"docker://{reference}", f"dir:{self.target}")


class Crane(CopyingClient):
    """The command line of go-containerregistry."""

    name = "crane"

    def pulling(self, reference: str) -> Sequence[str | Path]:
        """See `Client`."""
        return ("crane", "pull", "--format=oci", reference, self.target)


class Oras(CopyingClient):
    """oras, which asks for a manifest by HEAD first."""

    name = "oras"

    def pulling(self, reference: str) -> Sequence[str | Path]:
        """See `Client`. Not `oras pull`, which leaves out the layers without a title: those of every image."""
        return ("oras", "copy", "--to-oci-layout", reference, f"{self.target}:pulled")


class Regctl(CopyingClient):
    """The command line of regclient."""

    name = "regctl"

    def pulling(self, reference: str) -> Sequence[str | Path]:
        """See `Client`."""
        return ("regctl", "image", "copy", reference, f"ocidir://{self.target}:pulled")
