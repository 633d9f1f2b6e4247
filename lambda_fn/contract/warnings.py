"""The warnings that clients get in `Warning` headers: one table for the proxy and for whatever reads its answers. Pure.

Clients of OCI registries show a warning to their users. With an error, many of them show the status line alone, so an
error of the proxy repeats its message as a warning. An answer may have several, each in a header of its own:
https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#warnings
"""

from dataclasses import dataclass


def _header(text: str) -> str:
    """The one form that the specification allows."""
    return f'299 - "{text}"'


@dataclass(frozen=True, slots=True)
class Warnings:
    """The value of the header for each reason to warn, as the nginx configuration has it.

    Attributes:
        stale_tag: A tag that may have moved meanwhile is served from the cache.
        missing_image: An image that ECR no longer has is served from the cache, until `deleted_seconds` have passed.
        tag_of_replica: A tag is served from the replica of its registry.
        error: The message of an error; `$error_message` is nginx's variable.
    """

    stale_tag: str = _header(
        "ECR fails or refuses the credential of this registry: this is the last known content of the tag"
    )
    missing_image: str = _header("ECR no longer has this image, and it will be refused: pull another, or push it again")
    tag_of_replica: str = _header(
        "ECR fails in the region of this registry: this tag is from another region, and may be some minutes old"
    )
    error: str = _header("$error_message")
