"""Functions as they were deployed: the uploaded zip, unpacked, with its configuration and the role's credentials."""

import io
import platform
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import distribution
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from packaging.requirements import Requirement

from testbed.sandbox.installation import session
from testbed.sandbox.lambda_runtime import Code, Invocation, invoke
from testbed.sandbox.world import World

_RUNTIME = ("awslambdaric", "boto3")
"""What Lambda's Python runtime has of its own, with all they need."""


@dataclass(frozen=True)
class Deployed:
    """A function as Lambda holds it.

    Attributes:
        configuration: As GetFunctionConfiguration returns it.
        code: The zip.
        layers: Their zips, in order.
    """

    configuration: Mapping[str, Any]
    code: bytes
    layers: tuple[bytes, ...]


def call(world: World, function: Deployed, event: object, native: Path | None) -> Invocation:
    """Invoke a deployed function under Lambda's runtime interface client.

    Of this checkout nothing is on its path; of the virtual environment only what Lambda's runtime has too: see
    `link_runtime`.

    Args:
        world: The sandbox.
        function: What is invoked.
        event: What invokes it.
        native: Replaces the compiled dependencies, where the bundle's are for another machine.
    """
    found = function.configuration
    root = _unpacked(world, function.code, native)
    command = (*_with_layers(world, function.layers), sys.executable, "-S")
    code = Code(root=root, command=command, packages=(_runtime(world),))
    environment = found.get("Environment", {}).get("Variables", {}) | role_environment(world, found["Role"])
    return invoke(found["Handler"], event, environment, timeout_seconds=found["Timeout"], code=code)


def role_environment(world: World, role_arn: str) -> Mapping[str, str]:
    """What Lambda gives a function of this role: its credentials and the region; and the sandbox's CA."""
    sts = session(world, "default").client("sts")
    given = sts.assume_role(RoleArn=role_arn, RoleSessionName="lambda")["Credentials"]
    ca = str(world.ca.certificate)
    return {
        "AWS_REGION": world.region,
        "AWS_DEFAULT_REGION": world.region,
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
        "AWS_CA_BUNDLE": ca,
        "SSL_CERT_FILE": ca,
        "TEST_OUTDIR": str(world.run),  # where CDK's kubectl handler writes; /tmp is shared here
    }


def link_runtime(world: World) -> None:
    """Make the folder that holds just what Lambda's runtime brings, linked from this environment."""
    folder = _runtime(world)
    folder.mkdir(parents=True, exist_ok=True)
    for name in sorted(_needed(set(_RUNTIME))):
        for entry in {path.parts[0] for path in distribution(name).files or () if path.parts[0] != ".."}:
            (folder / entry).symlink_to(Path(str(distribution(name).locate_file(entry))))


def _runtime(world: World) -> Path:
    return world.run / "runtime"


def _unpacked(world: World, zipped: bytes, native: Path | None = None) -> Path:
    """A zip's folder, with the modes that are in the zip, as Lambda keeps them, and `native` over it."""

    def fill(folder: Path) -> None:
        with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
            archive.extractall(folder)
            for member in archive.infolist():
                mode = member.external_attr >> 16 & 0o777
                (folder / member.filename).chmod(mode | (0o700 if member.is_dir() else 0o600))
        if native:
            shutil.copytree(native, folder, dirs_exist_ok=True)

    return _made_once(world.run / "code" / sha256(zipped).hexdigest(), fill)


def _with_layers(world: World, layers: tuple[bytes, ...]) -> tuple[str, ...]:
    """What a command is started through so that the layers are its /opt, as in Lambda; nothing where there are none."""
    if not layers:
        return ()

    def fill(folder: Path) -> None:
        for layer in layers:
            shutil.copytree(_unpacked(world, layer), folder, dirs_exist_ok=True)
        if platform.machine() != "x86_64":
            shutil.rmtree(folder / "kubectl")  # the layer is for x86-64: then the PATH leads to the sandbox's own
        aws = folder / "awscli" / "aws"
        _, _, program = aws.read_text().partition("\n")
        aws.write_text(f"#!{sys.executable}\n{program}")  # Lambda has its Python elsewhere

    return ("bwrap", "--dev-bind", "/", "/", "--bind", str(_made_once(world.run / "code" / "opt", fill)), "/opt")


def _made_once(folder: Path, fill: Callable[[Path], None]) -> Path:
    """A folder that is complete from the first moment, and never written again.

    Functions run beside each other from it: a module that was written again under one of them crashed it.
    """
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder.parent, ignore_cleanup_errors=True) as made:
            whole = Path(made) / "whole"
            whole.mkdir()
            fill(whole)
            with suppress(OSError):  # another invocation was first
                whole.rename(folder)
    return folder


def _needed(names: set[str]) -> set[str]:
    def of(name: str) -> Iterator[str]:
        wanted = [Requirement(text) for text in distribution(name).requires or ()]
        yield from (r.name for r in wanted if r.marker is None or r.marker.evaluate({"extra": ""}))

    more = {other for name in names for other in of(name)} - names
    return _needed(names | more) if more else names
