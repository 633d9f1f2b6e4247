"""cosign, with a key of its own and without the public services of Sigstore."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from testbed.clients.client import CopyingClient
from testbed.clients.enclosure import HOME, Outcome

Form = Literal["tag", "referrer"]
"""Where a signature is: under a tag made of the image's digest, as before cosign 3, or among the image's referrers."""


class Cosign(CopyingClient):
    """cosign; what it pulls is an image with its signatures."""

    name = "cosign"
    _key = HOME / "key"

    def pulling(self, reference: str) -> Sequence[str | Path]:
        """See `Client`."""
        return ("cosign", "save", "--dir", self.target, reference)

    def make_key(self) -> Outcome:
        """Make the key that `sign` and `verify` use."""
        return self.enclosure.run("cosign", "generate-key-pair", f"--output-key-prefix={self._key}")

    def sign(self, reference: str, form: Form) -> Outcome:
        """Sign an image and push the signature."""
        offline = ("--tlog-upload=false", "--use-signing-config=false", "--yes")
        return self.enclosure.run("cosign", "sign", f"--key={self._key}.key", *offline, _option(form), reference)

    def verify(self, reference: str, form: Form) -> Outcome:
        """Verify that an image is signed with the key."""
        offline = "--insecure-ignore-tlog=true"
        return self.enclosure.run("cosign", "verify", f"--key={self._key}.pub", offline, _option(form), reference)

    def tree(self, reference: str) -> Outcome:
        """List what belongs to an image."""
        return self.enclosure.run("cosign", "tree", reference)


def _option(form: Form) -> str:
    return f"--new-bundle-format={'true' if form == 'referrer' else 'false'}"
