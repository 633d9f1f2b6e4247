"""MiniStack, an independent stand-in for AWS with a CloudFormation engine: installed in the cache, started, ended.

It has an environment of its own in front of this one, because it pins an older botocore than this project.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from testbed.sandbox.cloud import seed
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.endpoints import LOOPBACK, MINISTACK_PORT, MINISTACK_URL
from testbed.sandbox.commands import run
from testbed.sandbox.deployment import functions, native
from testbed.sandbox.deployment.cdk import ROOT, operator
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.processes import listens
from testbed.sandbox.world import World
from testbed.waiting import eventually

_LOCK = ROOT / "requirements-ministack.txt"
_START_SECONDS = 60
_GRACE_SECONDS = 10


def folder(world: World) -> Path:
    """Its packages' folder: one for each lock and Python."""
    return world.cache / f"ministack-{sha256(_LOCK.read_bytes() + sys.version.encode()).hexdigest()[:12]}"


def prepare(world: World) -> None:
    """Install it, once for each lock.

    Raises:
        SandboxError: It cannot be installed.
    """
    if folder(world).exists():
        return
    world.cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=world.cache, prefix="unfinished-") as scratch:
        target = Path(scratch) / "ministack"
        pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
        run((*pip, "--require-hashes", "--only-binary=:all:", "--target", target, "--requirement", _LOCK))
        target.rename(folder(world))


@contextmanager
def running(world: World) -> Iterator[None]:
    """Answer every AWS API with MiniStack, but for STS, EKS and ECR, until the block ends; inside the sandbox.

    Raises:
        SandboxError: It does not start.
    """
    functions.link_runtime(world)
    parts = "" if native.is_the_lambdas_machine() else str(native.folder(world))
    with (world.logs / "ministack.log").open("wb") as log:
        command = (sys.executable, "-m", "testbed.sandbox.deployment.engine", parts)
        process = subprocess.Popen(command, cwd=ROOT, env=_environment(world), stdout=log, stderr=log)
        try:
            if not eventually(listens(LOOPBACK, MINISTACK_PORT), _START_SECONDS):
                raise SandboxError(f"MiniStack does not answer after {_START_SECONDS} s: see {log.name}")
            network = seed.network(seed.client("ec2", world.region, MINISTACK_URL), world.region)
            with Control().behaving(Behaviour(ministack_network=network)):
                yield
        finally:
            process.terminate()
            try:
                process.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _environment(world: World) -> dict[str, str]:
    return {
        **{name: value for name, value in operator(world).items() if name != "AWS_ENDPOINT_URL"},
        "PYTHONPATH": os.pathsep.join((str(folder(world)), str(ROOT))),
        "BIND_HOST": LOOPBACK,
        "GATEWAY_PORT": str(MINISTACK_PORT),
        "MINISTACK_HOST": LOOPBACK,
        "MINISTACK_ACCOUNT_ID": world.account,
        "MINISTACK_REGION": world.region,
        "LAMBDA_EXECUTOR": "local",
        "NODE_PATH": str(ROOT / "node_modules"),  # the AWS SDK for JavaScript, which Lambda's runtime has
        "TMPDIR": str(world.run),
    }
