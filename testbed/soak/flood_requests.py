"""What a hostile client requests that keeps one rate, for each kind of flood. Pure, but for chance."""

import random
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle

MEDIA_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)


@dataclass(frozen=True)
class Request:
    """One request; `headers` are lines of HTTP."""

    path: str
    method: str = "GET"
    headers: str = ""


@dataclass(frozen=True)
class Aim:
    """What a flood is about.

    Attributes:
        repository: Exists, and is on the allow-list.
        paths: Of content that exists, each of it with `size_bytes`.
    """

    repository: str
    paths: Sequence[str] = ()
    size_bytes: int = 0


@dataclass(frozen=True)
class Kind:
    """Requests without an end; `aborts`: the client hangs up after the first bytes of an answer."""

    requests: Callable[[Aim], Iterator[Request]]
    aborts: bool = False


def _missing(aim: Aim) -> Iterator[Request]:
    """Digests and tags that do not exist, each another one, and lists, which are never cached."""
    while True:
        yield Request(f"/v2/{aim.repository}/manifests/{_digest()}")
        yield Request(f"/v2/{aim.repository}/manifests/{secrets.token_hex(8)}")
        yield Request(f"/v2/{aim.repository}/tags/list")


def _made_up_names(aim: Aim) -> Iterator[Request]:
    """Repositories that do not exist, below a name that the allow-list has."""
    parent = aim.repository.partition("/")[0]
    while True:
        yield Request(f"/v2/{parent}/{secrets.token_hex(8)}/manifests/{_digest()}")
        yield Request(f"/v2/{parent}/{secrets.token_hex(8)}/manifests/latest")
        yield Request(f"/v2/{parent}/{secrets.token_hex(8)}/blobs/{_digest()}")


def _heads(aim: Aim) -> Iterator[Request]:
    """HEADs of blobs that are not cached: ECR answers each, and nothing of it is stored."""
    for path in cycle(aim.paths):
        yield Request(path, "HEAD")


def _accepts(aim: Aim) -> Iterator[Request]:
    """Another `Accept` each time: known types in another order, and, in every second one, an unknown type."""
    for number, path in enumerate(cycle(aim.paths)):
        types = random.sample(MEDIA_TYPES, 1 + number % len(MEDIA_TYPES))
        unknown = [f"application/x-{secrets.token_hex(4)}"] if number % 2 else []
        yield Request(path, headers=f"Accept: {', '.join(unknown + types)}\r\n")


def _one_byte_ranges(aim: Aim) -> Iterator[Request]:
    """One byte anywhere in each blob in turn."""
    for path in cycle(aim.paths):
        at = secrets.randbelow(aim.size_bytes)
        yield Request(path, headers=f"Range: bytes={at}-{at}\r\n")


def _open_ranges(aim: Aim) -> Iterator[Request]:
    """From anywhere in each blob in turn to its end."""
    for path in cycle(aim.paths):
        yield Request(path, headers=f"Range: bytes={secrets.randbelow(aim.size_bytes)}-\r\n")


def _digest() -> str:
    return f"sha256:{secrets.token_hex(32)}"


KINDS: Mapping[str, Kind] = {
    "missing": Kind(_missing),
    "made-up-names": Kind(_made_up_names),
    "heads": Kind(_heads),
    "accepts": Kind(_accepts),
    "one-byte-ranges": Kind(_one_byte_ranges),
    "aborted-pulls": Kind(_open_ranges, aborts=True),
}
