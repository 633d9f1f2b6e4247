"""Whether there is news of the kubectl layer or the Lambda runtime: `python -m scripts.versions`.

News is a version that is newer than the one in use and than those that `versions.toml` beside this file declines. pip
and its index answer: which layers there are, and with the newest botocore which runtimes Lambda has.
"""

import gzip
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from lambda_fn.contract import kubectl
from lambda_fn.contract.runtime import PYTHON

DECLINED = Path(__file__).with_name("versions.toml")
_MODEL = "botocore/data/lambda/*/service-2.json.gz"
_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """What the stack uses in one version. Versions are minor numbers.

    Attributes:
        key: Its table in `versions.toml`.
        name: How a version is called.
        where: What has to be changed for another one.
        used: The version in use.
        declined: Newer ones that are known, each with the reason against it.
    """

    key: str
    name: str
    where: str
    used: int
    declined: Mapping[int, str]

    @property
    def known(self) -> range:
        """From the version in use to the newest that is declined."""
        return range(self.used, max((self.used, *self.declined)) + 1)


def pins() -> tuple[Pin, Pin]:
    """The layer and the runtime, as the stack uses them now."""
    declined = tomllib.loads(DECLINED.read_text(encoding="utf-8"))
    layer, runtime = ({int(minor): reason for minor, reason in declined[key].items()} for key in ("layer", "runtime"))
    return (
        Pin(
            key="layer",
            name="aws-cdk.lambda-layer-kubectl-v{}",
            where="requirements.in, stacks/kubectl.py and lambda_fn/contract/kubectl.py",
            used=kubectl.MINOR,
            declined=layer,
        ),
        Pin(
            key="runtime",
            name="python3.{}",
            where="lambda_fn/contract/runtime.py",
            used=int(PYTHON.removeprefix("3.")),
            declined=runtime,
        ),
    )


def news(pin: Pin, existing: Collection[int]) -> Iterator[str]:
    """What an engineer has to decide or to correct.

    Args:
        pin: What is used.
        existing: The versions that there are.
    """
    place = f"[{pin.key}] of scripts/{DECLINED.name}"
    newest = max(existing)
    if newest > pin.known[-1]:
        yield (
            f"{pin.name.format(newest)} exists, and the stack uses {pin.name.format(pin.used)}. Fix: change "
            f"{pin.where}, or decline it in {place} with the reason"
        )
    for minor in pin.declined:
        if minor <= pin.used:
            yield f"{place} declines {minor}, and the stack uses {pin.name.format(pin.used)}. Fix: remove the row"
        elif minor not in existing:
            yield f"{place} declines {minor}, and {pin.name.format(minor)} does not exist. Fix: remove the row"


def _layers(pin: Pin) -> set[int]:
    """Those of the versions from the one in use to one after the known that pip's index has."""
    asked = range(pin.used, pin.known[-1] + 2)
    commands = {minor: (*_PIP, "index", "versions", pin.name.format(minor)) for minor in asked}
    return {minor for minor in asked if not subprocess.run(commands[minor], check=False).returncode}  # noqa: S603 - our own arguments


def _runtimes() -> set[int]:
    """Lambda's runtimes for Python 3, as the newest botocore knows them."""
    with TemporaryDirectory() as folder:
        command = (*_PIP, "install", "--quiet", "--no-deps", "--no-compile", "--target", folder, "botocore")
        subprocess.run(command, check=True)  # noqa: S603 - our own arguments
        *_, model = sorted(Path(folder).glob(_MODEL))
        names: list[str] = json.loads(gzip.decompress(model.read_bytes()))["shapes"]["Runtime"]["enum"]
    return minors(names)


def minors(names: Collection[str]) -> set[int]:
    """The minor versions of Python 3 among the names of Lambda's runtimes."""
    return {int(found[1]) for name in names if (found := re.fullmatch(r"python3\.(\d+)", name))}


def main() -> int:
    """Print the news; the exit status is 1 if there is any, 2 if the index does not answer."""
    layer, runtime = pins()
    layers = _layers(layer)
    if layer.used not in layers:
        name = layer.name.format(layer.used)
        print(f"the index of pip does not have {name}, which the stack uses: nothing is known. Fix: run it again")
        return 2
    found = [*news(layer, layers), *news(runtime, _runtimes())]
    print("\n".join(found) or "no version is newer than those that are used or declined")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
