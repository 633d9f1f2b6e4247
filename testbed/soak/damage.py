"""Random damage to the files of a full cache: the next pulls are right, and the check costs little.

`python -m testbed.soak.damage`, inside the sandbox. One pod without a kubelet. First files are damaged by writing to
them; then bits flip as on a bad disk: the pod runs without the pass over sizes and times, so only the round over the
contents can find them. At last the cache pretends to hold 100 GiB, and the processor time is measured.
"""

import json
import os
import random
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

from testbed.sandbox import installation
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.pod import Pod
from testbed.sandbox.progress import say, step
from testbed.sandbox.world import World
from testbed.soak import cached_files, command, scrub
from testbed.soak.cached_files import Damage
from testbed.soak.pull import Pull
from testbed.waiting import eventually

LAYER_MIB = 32
SHARE_RIGHT, AFTER_SECONDS = 0.95, 60
LARGE_GIB = 100
LARGE_ROUND_SECONDS, LARGE_CPU_SHARE = 24 * 3600, 0.02
NEW_SECONDS = 3
"""After this time the scrub does not take a file that is there before its first pass for a changed one."""
CLIENTS = 8
REPOSITORY = "team/soak"


@dataclass(frozen=True)
class Outcome:
    """What became of damaged files.

    Attributes:
        files: How many were damaged.
        wrong: Layers that a pull at once did not bring as they are.
        hung: Pulls of these that received nothing for half a minute.
        right_after_a_minute: Layers of these that were right a minute later.
        hung_after_a_minute: Pulls that hung then.
        all_right_seconds: When every layer was right.
    """

    files: int
    wrong: int
    hung: int
    right_after_a_minute: int
    hung_after_a_minute: int
    all_right_seconds: float

    @property
    def holds(self) -> bool:
        """Whether enough pulls were right, and none hung."""
        return self.right_after_a_minute >= SHARE_RIGHT * self.wrong and not self.hung + self.hung_after_a_minute


def main() -> int:
    """Run; returns 1 when too few pulls are right or the check costs too much."""
    parser = command.parser("testbed.soak.damage", __doc__)
    parser.add_argument("--mib", type=int, default=960, help="what the cache holds [%(default)s]")
    parser.add_argument("--files", type=int, default=20, help="how many are damaged, twice [%(default)s]")
    parser.add_argument("--seconds", type=int, default=120, help="of measuring the cost [%(default)s]")
    parser.add_argument(
        "--part", choices=("damage", "large"), help="run one part: the damage, or the large cache [both]"
    )
    arguments = parser.parse_args()
    return command.status(
        lambda: run(World.current(), arguments.mib, arguments.files, arguments.seconds, arguments.part), arguments.json
    )


def run(world: World, mib: int, files: int, seconds: int, part: str | None) -> dict[str, object]:
    """Fill, damage, pull and measure; returns the figures.

    Raises:
        SandboxError: The layers are wrong before any damage, or for good.
    """
    figures: dict[str, object] = {"load": os.getloadavg()[1], "holds": True}
    if part != "large":
        outcomes, small = _damage_and_cost(world, mib, files, seconds)
        figures |= {name: asdict(outcome) for name, outcome in outcomes.items()} | {"cost_of_small_cache": small}
        figures["holds"] = all(outcome.holds for outcome in outcomes.values())
    if part != "damage":
        large = _cost_of_large(world, seconds)
        figures[f"cost_of_{LARGE_GIB}_gib"] = large
        is_cheap = large["cpu_share"] <= LARGE_CPU_SHARE and large["round_seconds"] <= LARGE_ROUND_SECONDS
        figures["holds"] = bool(figures["holds"]) and is_cheap
    say(json.dumps(figures, indent=2))
    return figures


def _damage_and_cost(world: World, mib: int, files: int, seconds: int) -> tuple[dict[str, Outcome], dict[str, float]]:
    """What became of the damage, by its cause, and what the check of the cache costs."""
    control = Control()
    control.reset()
    installation.push_new_layer(world, REPOSITORY, 1)  # so that the repository exists
    chance = random.Random(25)  # noqa: S311 - the same damage in every run
    with scrub.pod(world, 1) as pod:
        pod.start()
        with step(f"filling the cache with {mib} MiB"):
            _fill(control, mib)
        by_writing = _damaged(pod, files, chance, (cached_files.flip, cached_files.cut, cached_files.empty))
        scrub.restart_without_pass(pod)
        by_the_disk = _damaged(pod, files, chance, (cached_files.flip,))
        small = scrub.cost(pod, seconds)
    return {"damaged_by_writing": by_writing, "damaged_by_the_disk": by_the_disk}, small


def _fill(control: Control, mib: int) -> None:
    pulls = _pulls([_path(control.generated_layer(LAYER_MIB << 20, seed)) for seed in range(mib // LAYER_MIB)])
    if not all(pull.is_whole for pull in pulls):
        raise SandboxError("a layer is not whole before any file was damaged")


def _path(digest: str) -> str:
    return f"/v2/{REPOSITORY}/blobs/{digest}"


def _pulls(paths: Sequence[str]) -> list[Pull]:
    pulls = [Pull(path) for path in paths]
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(lambda pull: pull.run(scrub.ADDRESS), pulls))
    return pulls


def _hung(pulls: Sequence[Pull]) -> int:
    return sum("timed out" in pull.error for pull in pulls)


def _damaged(pod: Pod, count: int, chance: random.Random, kinds: Sequence[Damage]) -> Outcome:
    """Damage files and pull what they belong to."""
    scrub.wait_until_noted(pod)
    chosen = chance.sample(cached_files.cached(pod.folder / "cache"), count)
    paths = sorted({_path(cached_files.key(file).split(" ")[0]) for file in chosen})
    for file in chosen:
        chance.choice(kinds)(file, chance)
    began = time.monotonic()
    with step(f"pulling {len(paths)} layers with {count} damaged files, and again after {AFTER_SECONDS} s"):
        wrong = [pull for pull in _pulls(paths) if not pull.is_whole]
        time.sleep(AFTER_SECONDS)
        again = _pulls([pull.path for pull in wrong])
    if not eventually(lambda: all(pull.is_whole for pull in _pulls(paths)), scrub.LONGEST_SECONDS, pause_seconds=5):
        raise SandboxError(f"a layer is wrong {scrub.LONGEST_SECONDS} s after its file was damaged")
    outcome = Outcome(
        files=count,
        wrong=len(wrong),
        hung=_hung(wrong),
        right_after_a_minute=sum(pull.is_whole for pull in again),
        hung_after_a_minute=_hung(again),
        all_right_seconds=round(time.monotonic() - began, 1),
    )
    say(f"  {outcome}")
    return outcome


def _cost_of_large(world: World, seconds: int) -> dict[str, float]:
    with scrub.pod(world, LARGE_GIB + 28) as pod:
        with step(f"pretending a cache of {LARGE_GIB} GiB"):
            cached_files.pretend(pod.folder / "cache", LARGE_GIB)
            time.sleep(NEW_SECONDS)
        pod.start()
        scrub.wait_for_first_pass()
        return scrub.cost(pod, seconds)


if __name__ == "__main__":
    sys.exit(main())
