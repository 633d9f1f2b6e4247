"""The format of the hints: images that the proxy has to refuse. The watcher writes them, the proxy reads them. Pure.

The ConfigMap of `contract.objects.hints_config_map` has two keys, each with one line for an image, the oldest first:

    <seconds since 1970> <ECR host>/<repository>@sha256:<64 hexadecimal digits>

A reader takes every line of this format, however old it is, and ignores others: the writer alone drops old lines.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from lambda_fn.contract.registries import ECR_HOST
from lambda_fn.contract.repository_name import FORM

GONE = "gone"
"""The key with every image that the proxy has to refuse: those of `NAMED`, and those that ECR has deleted."""
NAMED = "named"
"""The key with the images that an operator named, for the watcher alone: a push does not lift them, nor does time."""

MOST_LINES = 5_000
"""An image has one line."""
MOST_BYTES = 900_000
"""The size of `GONE`. A ConfigMap has at most 1 MiB: https://kubernetes.io/docs/concepts/configuration/configmap/ ."""
MOST_NAMED = 200
"""The lines of `NAMED`, which are lines of `GONE`, too: with the longest names, they have 80 kB in each key."""
LONGEST_AGE = timedelta(days=30)
"""The age up to which a deleted image has its line. Until then, each pod has asked ECR for it again by itself."""

REPOSITORY = rf"(?=[^@]{{2,256}}(?:@|$)){FORM}"
"""An expression for the name of a repository, before the `@` of a digest or alone."""
DIGEST = r"sha256:[0-9a-f]{64}"
"""An expression for the digest of a manifest."""
_IMAGE = re.compile(rf"(?P<host>{ECR_HOST.pattern})/(?P<repository>{REPOSITORY})@(?P<digest>{DIGEST})", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Image:
    """One manifest of a private ECR registry.

    Attributes:
        host: The registry's host name, as the nginx configuration has it.
        repository: Without the host.
        digest: `sha256:` and 64 hexadecimal digits.
    """

    host: str
    repository: str
    digest: str

    def __str__(self) -> str:
        return f"{self.host}/{self.repository}@{self.digest}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The image that `str` wrote.

        Raises:
            ValueError: The text has another form.
        """
        found = _IMAGE.fullmatch(text)
        if not found:
            raise ValueError(f"{text[:400]!r} is not <ECR host>/<repository>@sha256:<64 hexadecimal digits>")
        return cls(found["host"], found["repository"], found["digest"])


@dataclass(frozen=True, slots=True)
class Hints:
    """What the ConfigMap says.

    Attributes:
        deleted: Images that ECR has deleted, with the second of the deletion since 1970.
        named: Images that an operator named, with the second of that.
    """

    deleted: Mapping[Image, int]
    named: Mapping[Image, int]

    @property
    def gone(self) -> dict[Image, int]:
        """Every image that the proxy has to refuse."""
        return {**self.deleted, **self.named}


def parse(data: Mapping[str, str]) -> tuple[Hints, int]:
    """The hints in the `data` of the ConfigMap, and the number of lines that have another format and are left out.

    An image with several lines has the latest time of them.
    """
    gone, wrong_of_gone = _parse(data.get(GONE, ""))
    named, wrong_of_named = _parse(data.get(NAMED, ""))
    deleted = {image: at for image, at in gone.items() if image not in named}
    return Hints(deleted, named), wrong_of_gone + wrong_of_named


def build(hints: Hints, *, now: datetime) -> dict[str, str]:
    """The `data` of the ConfigMap within the bounds. What exceeds them is left out: the oldest lines first."""
    oldest = int((now - LONGEST_AGE).timestamp())
    named = _newest(hints.named, most=MOST_NAMED, most_bytes=MOST_BYTES)
    room = MOST_BYTES - sum(map(len, named))
    recent = {image: at for image, at in hints.deleted.items() if at >= oldest and image not in hints.named}
    deleted = _newest(recent, most=MOST_LINES - len(named), most_bytes=room)
    return {GONE: "".join(sorted(deleted + named)), NAMED: "".join(named)}


def _newest(times: Mapping[Image, int], *, most: int, most_bytes: int) -> list[str]:
    """Of these images, the lines of the latest times that fit, the oldest first."""
    kept: list[str] = []
    for line in sorted((f"{at:010d} {image}\n" for image, at in times.items()), reverse=True)[:most]:
        most_bytes -= len(line)
        if most_bytes < 0:
            break
        kept.append(line)
    return kept[::-1]


def _parse(text: str) -> tuple[dict[Image, int], int]:
    times: dict[Image, int] = {}
    wrong = 0
    for line in filter(None, text.split("\n")):
        at, _, name = line.partition(" ")
        try:
            image = Image.parse(name)
        except ValueError:
            wrong += 1
            continue
        if re.fullmatch("[0-9]{10}", at):
            times[image] = max(int(at), times.get(image, 0))
        else:
            wrong += 1
    return times, wrong
