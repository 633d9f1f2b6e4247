"""Image references, as `docker pull` takes them. Pure."""

import re
from dataclasses import dataclass

from lambda_fn.contract.errors import SettingsError
from lambda_fn.contract.repository_name import FORM

# https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests
_REFERENCE = re.compile(
    r"(?:(?P<host>[A-Za-z0-9.-]+(?:\.[A-Za-z0-9-]+)+(?::\d+)?|localhost(?::\d+)?)/)?"
    rf"(?P<repository>{FORM})"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Reference:
    """An image: the host it is pulled from (None where it was left out), its repository, and a tag or a digest."""

    host: str | None
    repository: str
    reference: str

    def __str__(self) -> str:
        separator = "@" if self.reference.startswith("sha256:") else ":"
        return f"{self.repository}{separator}{self.reference}"


def parse_reference(text: str) -> Reference:
    """The image that a text names; a digest goes before a tag, and `latest` is the tag that was left out.

    Raises:
        SettingsError: It names none.
    """
    found = _REFERENCE.fullmatch(text)
    if not found:
        raise SettingsError(
            f"{text} is not an image. Fix: write REPOSITORY:TAG or REPOSITORY@sha256:..., such as team/app:1.4"
        )
    return Reference(found["host"], found["repository"], found["digest"] or found["tag"] or "latest")
