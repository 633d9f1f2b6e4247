"""Reads parts of a blob as a snapshotter does that pulls lazily: by its own package, without its mounts."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from testbed.clients import installation
from testbed.sandbox import tools
from testbed.sandbox.commands import run
from testbed.sandbox.world import World

Snapshotter = Literal["stargz", "soci"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a snapshotter has read.

    Attributes:
        size: Of the blob, in bytes.
        sha256: Of each part, in hex.
    """

    size: int
    sha256: Sequence[str]


def read(
    world: World, snapshotter: Snapshotter, repository: str, digest: str, parts: Sequence[tuple[int, int]]
) -> Reading:
    """Read parts, each (offset, length), with a snapshotter's fetcher, which has cached nothing.

    Args:
        world: The sandbox, whose certificate authority is trusted.
        snapshotter: Whose fetcher.
        repository: `HOST/REPOSITORY`.
        digest: The blob's.
        parts: In the order of reading, one after the other.

    Raises:
        SandboxError: The program fails.
    """
    program = tools.program(world.cache, installation.READER)
    trust = {**os.environ, "SSL_CERT_FILE": str(world.ca.certificate)}
    words = (str(program), snapshotter, repository, digest, *(f"{offset}+{length}" for offset, length in parts))
    found = json.loads(run(words, environment=trust))
    return Reading(found["size"], tuple(found["sha256"]))
