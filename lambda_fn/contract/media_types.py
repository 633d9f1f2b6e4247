"""The media types of manifests that every client of today accepts. Pure.

https://github.com/opencontainers/image-spec/blob/v1.1.1/media-types.md ,
https://distribution.github.io/distribution/spec/manifest-v2-2/#media-types
"""

INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
"""Of images for several platforms."""
MANIFESTS = (
    *INDEXES,
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
ACCEPT = ", ".join(MANIFESTS)
"""The header with which a client gets every manifest as it was pushed."""
