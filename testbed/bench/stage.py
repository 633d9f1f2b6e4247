"""Everything a run needs, in one place: the contestants, serving, and what they serve."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from testbed.bench import curl
from testbed.bench.content import ACCEPT, TAG, Content, blob_path, manifest_path, publish
from testbed.bench.contestants import Contestant, Direct, Distribution, Frontdoor, Limit, Plain, WholeFile
from testbed.bench.plan import Plan
from testbed.bench.samples import Gap, Sample
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.world import World

SHORT_TOKEN_CHARACTERS = 2000
"""What the plain configuration can hold; a Lambda's tokens have three times as many."""


@dataclass
class Stage:
    """One run in progress."""

    world: World
    plan: Plan
    folder: Path
    control: Control
    content: Content
    contestants: Sequence[Contestant]
    samples: list[Sample] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)

    def record(self, contestant: Contestant, about: tuple[str, str], number: int, **figures: float) -> None:
        """Record figures of one round; `about` is the measure and the case."""
        self.samples += [Sample(contestant.name, *about, metric, number, value) for metric, value in figures.items()]

    def gap(self, contestant: Contestant, measure: str, reason: str) -> None:
        """Record once that a contestant cannot be measured, and why."""
        gap = Gap(contestant.name, measure, reason)
        if gap not in self.gaps:
            self.gaps.append(gap)

    def turns(self, number: int) -> list[Contestant]:
        """The contestants in the order of a round: every other one is backwards, so that the first one changes."""
        return list(self.contestants if number % 2 == 0 else reversed(self.contestants))

    def contestant(self, kind: type[Contestant]) -> Contestant:
        """The contestant of a class."""
        return next(contestant for contestant in self.contestants if isinstance(contestant, kind))


@contextmanager
def staged(world: World, plan: Plan, folder: Path) -> Iterator[Stage]:
    """A stage with every contestant serving; it ends with the block.

    Raises:
        SandboxError: A contestant does not start, or serves other bytes than were pushed.
    """
    control = Control()
    control.wait_until_ready()
    content = publish(world, plan, folder / "limit" / "files")
    stage = Stage(world, plan, folder, control, content, _contestants(world, folder, control))
    try:
        for contestant in stage.contestants:
            contestant.start()
            check(stage, contestant)
        yield stage
    finally:
        for contestant in stage.contestants:
            contestant.stop()


def check(stage: Stage, contestant: Contestant) -> None:
    """Compare what a contestant serves with what was pushed, over TLS as well.

    Raises:
        SandboxError: It serves something else.
    """
    content = stage.content
    paths = [
        manifest_path(TAG),
        manifest_path(content.image.digest),
        blob_path(content.small),
        blob_path(content.large),
    ]
    for origin in dict.fromkeys((contestant.origin, contestant.secure_origin)):
        for path in paths if origin else ():
            got = stage.folder / "got"
            curl.download(f"{origin}{path}", headers(contestant), clients=1, output=str(got))
            if digest(got) != digest(content.file(path)):
                raise SandboxError(f"{contestant.title} serves other bytes for {path} than were pushed")


def headers(contestant: Contestant) -> dict[str, str]:
    """What a client of a contestant sends."""
    return {**ACCEPT, **contestant.headers}


def _contestants(world: World, folder: Path, control: Control) -> list[Contestant]:
    token = control.issue_token(world.region).authorization
    with control.behaving(Behaviour(token_characters=SHORT_TOKEN_CHARACTERS)):
        short = control.issue_token(world.region).authorization
    return [
        Direct(world, token),
        Plain(world, folder / "plain", 8091, {"token": short}),
        WholeFile(world, folder / "whole_file", 8092, {"token": short}),
        Distribution(world, folder / "distribution", 8093, token),
        Frontdoor(world, folder / "frontdoor", token),
        Limit(world, folder / "limit", 8094, {}),
    ]


def digest(file: Path) -> str:
    """SHA-256 of a file, in hex."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
