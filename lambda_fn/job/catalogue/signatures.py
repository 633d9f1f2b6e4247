"""Which images have a signature. Pure.

A signature is a manifest of the same repository: cosign tags it after the image, and what follows OCI 1.1 refers to the
image as its subject. Whether it is valid, only a verifier with a key can say.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lambda_fn.job.catalogue.ports import Listed

# https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md#tag-based-discovery ; without an ending, the tag
# is that of clients for registries without the list of referrers: the distribution specification's "referrers tag".
_OF_ANOTHER = re.compile(r"sha256-(?P<hex>[0-9a-f]{64})(?:\.(?P<ending>sig|att|sbom))?", re.ASCII)

SIGNATURE_TYPES = frozenset(
    {
        "application/vnd.cncf.notary.signature",  # Notation, AWS Signer, and ECR's managed signing
        "application/vnd.dev.cosign.artifact.sig.v1+json",
        "application/vnd.dev.sigstore.bundle.v0.3+json",  # cosign 3; it holds a signature or a signed attestation
    }
)
_UNKNOWN_TYPES = frozenset({"", "application/vnd.oci.empty.v1+json"})


@dataclass(frozen=True, slots=True)
class Signatures:
    """The signatures of one repository.

    Attributes:
        signed: The digests that have one.
        unclear: The digests that something refers to of which ECR does not say what it is.
    """

    signed: frozenset[str]
    unclear: frozenset[str]

    def of(self, digest: str) -> bool | None:
        """Whether this manifest has one; None where that is unknown."""
        return True if digest in self.signed else None if digest in self.unclear else False


def find(images: Iterable[Listed]) -> Signatures:
    """The signatures among all images of a repository."""
    signed, unclear = set[str](), set[str]()
    for image in images:
        if image.subject:
            if image.artifact_type in SIGNATURE_TYPES:
                signed.add(image.subject)
            elif image.artifact_type in _UNKNOWN_TYPES:
                unclear.add(image.subject)
        for tag in image.tags:
            found = _OF_ANOTHER.fullmatch(tag)
            if found and found["ending"] == "sig":
                signed.add(f"sha256:{found['hex']}")
    return Signatures(frozenset(signed), frozenset(unclear))


def is_of_another(tag: str) -> bool:
    """Whether the tag belongs to another image's signature, attestation or bill of materials, and not to people."""
    return _OF_ANOTHER.fullmatch(tag) is not None
