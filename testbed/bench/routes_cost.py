"""What 500 routes cost a warm request: `python -m testbed.bench.routes_cost`, inside the sandbox.

Two pods side by side, with one route and with 500, get the same requests for a cached blob of 10 kB, by names of random
depth.
"""

import os
import random
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import httpx2

from testbed.bench import pairs, wrk
from testbed.bench.contestants import Frontdoor
from testbed.sandbox.world import World

_TEAMS = 100
_REPOSITORY = "team/t0/bench"
_IN_NO_ROUTE = "no route"
_ACCEPT = {"Accept": "*/*"}
_NAMES = 2_000
_WORDS = ("app", "api", "web", "worker", "base-images", "tools", "v2", "data")


def tables() -> list[str]:
    """500 tables with a route each: folders, folders within them, names, expressions, and other names in ECR."""
    return [
        table
        for number in range(_TEAMS)
        for table in (
            f'repositories = ["team/t{number}/*"]',
            f'repositories = ["team/t{number}/special/deep/*"]',
            f'repositories = ["team/t{number}/app"]',
            f'repositories = ["team/t{number}/e/*-prod"]',
            f'repositories = ["team/p{number}/*"], strip = "team/p{number}/", prefix = "p/{number}/"',
        )
    ]


def _below(begin: Callable[[], str], chance: random.Random) -> str:
    depth = chance.randint(0, 5)
    return "/".join([begin(), *chance.choices(_WORDS, k=depth), f"x{chance.randint(0, 9)}"])


def cases(chance: random.Random) -> dict[str, list[str]]:
    """Names, all of them in a route of both pods, or in none of both."""

    def team() -> str:
        return f"team/t{chance.randrange(_TEAMS)}"

    beginnings: dict[str, Callable[[], str]] = {
        "folders": team,
        "overlaps": lambda: f"{team()}/special/{chance.choice(['deep', 'deeper'])}",
        "expressions": lambda: f"{team()}/e",
        "other names in ECR": lambda: f"team/p{chance.randrange(_TEAMS)}",
        _IN_NO_ROUTE: lambda: f"other/t{chance.randrange(_TEAMS)}",
    }
    found = {case: [_below(begin, chance) for _ in range(_NAMES)] for case, begin in beginnings.items()}
    return found | {"whole names": [f"{team()}/app" for _ in range(_NAMES)]}


def run(world: World, folder: Path, *, rounds: int, seconds: int) -> dict[str, float]:
    """The ratio of each case, the median of its rounds; prints all rounds."""
    token = pairs.token_of(world)
    with pairs.publisher(world, token) as publisher:
        blob = publisher.blob(_REPOSITORY, os.urandom(10_000))
    pods = {
        "one route": Frontdoor(world, folder / "one", token),
        "500 routes": Frontdoor(world, folder / "many", token, ports_moved_by=1000, tables=tables()),
    }
    with pairs.serving(pods):
        for pod in pods.values():
            httpx2.get(f"{pod.origin}/v2/{_REPOSITORY}/blobs/{blob}").raise_for_status()
        return {
            case: pairs.ratio(
                case, pods, partial(_load, _listed(folder, case, names, blob)), rounds=rounds, seconds=seconds
            )
            for case, names in cases(random.Random(1)).items()  # noqa: S311 - names, no secrets
        }


def _load(listed: Path, pod: Frontdoor, seconds: int) -> wrk.Load:
    found = wrk.load(pod.origin, _ACCEPT, connections=pairs.CONNECTIONS, seconds=seconds, listed=listed)
    return replace(found, errors=0) if listed.name == _IN_NO_ROUTE else found


def _listed(folder: Path, case: str, names: list[str], blob: str) -> Path:
    file = folder / case
    file.write_text("".join(f"/v2/{name}/blobs/{blob}\n" for name in names), encoding="utf-8")
    return file


if __name__ == "__main__":
    sys.exit(pairs.main("What 500 routes cost a warm request.", run))
