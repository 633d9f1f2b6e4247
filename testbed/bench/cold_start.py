"""The import time of a cold start of the Lambda, from the shipped bundle: `python -m testbed.bench.cold_start`.

Processor time of fresh processes, one of each kind in every round, and ratios within a round: what else the machine
does disturbs that little. The bundle's compiled modules, which only arm64 can run, are exchanged for this machine's.
"""

import argparse
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from tempfile import TemporaryDirectory

from lambda_fn.contract.runtime import HANDLER, PYTHON
from stacks import bundling
from testbed.bench.imports import WHOLE, processor_seconds, shares, table

_RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six", "urllib3")
"""What Lambda's runtime brings along; the versions are those of the tests."""
_MODULE = HANDLER.rpartition(".")[0]
_ROUNDS = 10


@dataclass(frozen=True, slots=True)
class Place:
    """Where an interpreter finds the Lambda's modules.

    Attributes:
        bundle: The bundle as it is shipped, without bytecode.
        compiled: The same with bytecode.
        runtime: What Lambda's runtime brings along, with bytecode.
    """

    python: str
    bundle: Path
    compiled: Path
    runtime: Path

    def environment(self, folder: Path) -> dict[str, str]:
        """Of a process that imports from `folder`."""
        path = os.pathsep.join(map(str, (folder, self.runtime)))
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": path,
            "PYTHONDONTWRITEBYTECODE": "1",
            "AWS_REGION": "eu-west-1",
        }


def prepare(python: str, folder: Path) -> Place:
    """Put the bundle together in `folder` so that `python` can run it. Uses the network, or pip's cache."""
    place = Place(python, folder / "bundle", folder / "compiled", folder / "runtime")
    native = folder / "native"
    shutil.copytree(bundling.bundle(), place.bundle)
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", "--require-hashes")
    _run(*pip, "--only-binary=:all:", f"--target={native}", f"--requirement={bundling.LOCK}")
    for module in native.rglob("*.so"):
        shutil.copy(module, place.bundle / module.relative_to(native))
    for name in _RUNTIME:
        _copy_distribution(name, place.runtime)
    shutil.copytree(place.bundle, place.compiled)
    _run(python, "-m", "compileall", "-q", place.compiled, place.runtime)
    return place


def measure(place: Place, rounds: int) -> tuple[dict[str, list[float]], list[dict[str, float]]]:
    """Kind of process to its processor seconds, round by round; and each round's shares of the import, of wall time.

    A first round does not count: it reads the files from the disk.
    """
    imports = f"import {_MODULE}"
    kinds = {
        "an empty program": ("pass", place.bundle),
        WHOLE: (imports, place.bundle),
        "the handler, if bytecode were shipped": (imports, place.compiled),
        "what a pull of the canary alone needs": (
            "import lambda_fn.edges.canary, lambda_fn.edges.metrics",
            place.bundle,
        ),
    }
    seconds: dict[str, list[float]] = {kind: [] for kind in kinds}
    profiles = []
    for number in range(rounds + 1):
        for kind, (code, folder) in kinds.items():
            took = processor_seconds((place.python, "-c", code), place.environment(folder))
            if number:
                seconds[kind].append(took)
        command = (place.python, "-X", "importtime", "-c", imports)
        told = subprocess.run(command, check=True, capture_output=True, text=True, env=place.environment(place.bundle))
        if number:
            profiles.append(shares(told.stderr))
    return seconds, profiles


def _copy_distribution(name: str, folder: Path) -> None:
    """What an installed distribution has as modules, into `folder`, without bytecode."""
    found = distribution(name)
    for file in found.files or []:
        if file.parts[0] != ".." and ".dist-info" not in file.parts[0] and file.suffix != ".pyc":
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(found.locate_file(file)), target)


def _run(*command: str | Path) -> None:
    subprocess.run([str(word) for word in command], check=True, stdout=sys.stderr)


def main() -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m testbed.bench.cold_start", description=__doc__)
    parser.add_argument("--python", default=sys.executable, help=f"the interpreter; Lambda's is {PYTHON}")
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help="fresh processes of each kind")
    chosen = parser.parse_args()
    with TemporaryDirectory() as folder:
        place = prepare(chosen.python, Path(folder))
        print(table(*measure(place, chosen.rounds)))  # noqa: T201 - what the command is for


if __name__ == "__main__":
    main()
