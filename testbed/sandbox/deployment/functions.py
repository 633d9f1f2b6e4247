"""Functions as they were deployed: the uploaded zip, unpacked, with moto's configuration and the role's credentials."""

import io
import platform
import shutil
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from testbed.sandbox.deployment import native
from testbed.sandbox.installation import session
from testbed.sandbox.lambda_runtime import Code, Invocation, invoke
from testbed.sandbox.world import World

_RUNTIME = ("awslambdaric", "boto3")
"""What Lambda's Python runtime has of its own, with all they need."""


@dataclass(frozen=True)
class Assets:
    """The code of a deployed template, by the logical ids of functions and layers.

    Attributes:
        resources: Of the template that CloudFormation holds.
        names: Physical name -> logical id.
    """

    resources: Mapping[str, Any]
    names: Mapping[str, str]

    def physical(self, start: str) -> str:
        """The name of the one function whose logical id starts with `start`."""
        (name,) = (
            physical
            for physical, logical in self.names.items()
            if logical.startswith(start) and self.resources[logical]["Type"] == "AWS::Lambda::Function"
        )
        return name

    def function(self, name: str) -> str:
        """The S3 key of a function's zip."""
        key: str = self._of(name)["Code"]["S3Key"]
        return key

    def layers(self, name: str) -> list[str]:
        """The S3 keys of its layers' zips, in order."""
        layers = [layer["Ref"] for layer in self._of(name).get("Layers", [])]
        return [self.resources[layer]["Properties"]["Content"]["S3Key"] for layer in layers]

    def retained(self) -> set[str]:
        """The physical names of what is to outlive the stack."""
        return {
            physical
            for physical, logical in self.names.items()
            if self.resources[logical].get("DeletionPolicy") == "Retain"
        }

    def _of(self, name: str) -> Mapping[str, Any]:
        properties: Mapping[str, Any] = self.resources[self.names[name]]["Properties"]
        return properties


def call(world: World, assets: Assets, name: str, event: object, *, native_parts: bool) -> Invocation:
    """Invoke a deployed function under Lambda's runtime interface client.

    Code and layers are what was uploaded; handler, environment, time-out and role are what AWS has of the function. Of
    this checkout nothing is on its path; of the virtual environment only what Lambda's runtime has too.

    Args:
        world: The sandbox.
        assets: Of the stack it belongs to.
        name: The function's name.
        event: What invokes it.
        native_parts: Exchange the compiled dependencies for those of `testbed.sandbox.deployment.native`.
    """
    found = session(world, "default").client("lambda").get_function_configuration(FunctionName=name)
    root = _folder(world, assets.function(name))
    if native_parts and not native.is_the_lambdas_machine():
        shutil.copytree(native.folder(world), root, dirs_exist_ok=True)
    command = (*_with_layers(world, assets.layers(name)), sys.executable, "-S")
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


def _folder(world: World, key: str) -> Path:
    """An uploaded zip, unpacked."""
    folder = world.run / "code" / Path(key).stem
    if not folder.exists():
        stored = session(world, "default").client("s3").get_object(Bucket=world.asset_bucket, Key=key)
        with zipfile.ZipFile(io.BytesIO(stored["Body"].read())) as archive:
            archive.extractall(folder)
            for member in archive.infolist():
                mode = member.external_attr >> 16 & 0o777
                (folder / member.filename).chmod(mode | (0o700 if member.is_dir() else 0o600))
    return folder


def _with_layers(world: World, keys: list[str]) -> tuple[str, ...]:
    """What a command is started through so that the layers are its /opt, as in Lambda; nothing where there are none."""
    if not keys:
        return ()
    opt = world.run / "code" / "opt"
    if not opt.exists():
        for key in keys:
            shutil.copytree(_folder(world, key), opt, dirs_exist_ok=True)
        if platform.machine() != "x86_64":
            shutil.rmtree(opt / "kubectl")  # the layer is for x86-64: then the PATH leads to the sandbox's own
        aws = opt / "awscli" / "aws"
        _, _, program = aws.read_text().partition("\n")
        aws.write_text(f"#!{sys.executable}\n{program}")  # Lambda has its Python elsewhere
    return ("bwrap", "--dev-bind", "/", "/", "--bind", str(opt), "/opt")


def _runtime(world: World) -> Path:
    """A folder that holds just what Lambda's runtime brings, linked from this environment."""
    folder = world.run / "runtime"
    if not folder.exists():
        folder.mkdir(parents=True)
        for name in sorted(_needed(set(_RUNTIME))):
            for entry in {path.parts[0] for path in distribution(name).files or () if path.parts[0] != ".."}:
                (folder / entry).symlink_to(Path(str(distribution(name).locate_file(entry))))
    return folder


def _needed(names: set[str]) -> set[str]:
    def of(name: str) -> Iterator[str]:
        wanted = [Requirement(text) for text in distribution(name).requires or ()]
        yield from (r.name for r in wanted if r.marker is None or r.marker.evaluate({"extra": ""}))

    more = {other for name in names for other in of(name)} - names
    return _needed(names | more) if more else names
