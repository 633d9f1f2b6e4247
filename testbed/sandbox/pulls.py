"""A developer's actions at the public domain, all anonymous: pull with four clients, and try to push."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from testbed.sandbox import installation
from testbed.sandbox.commands import run
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.kubectl import kubectl_apply, kubectl_json
from testbed.sandbox.world import World
from testbed.waiting import eventually

NAMESPACE = "developers"
_POD_SECONDS = 90
_POLL_SECONDS = 0.5


def public_image(world: World) -> str:
    """The application's image as developers write it."""
    return f"{world.domain}/{world.app_repository}:{world.app_tag}"


def anonymous(world: World) -> Mapping[str, str]:
    """The environment of a client that has never logged in anywhere."""
    folder = world.run / "anonymous"
    folder.mkdir(parents=True, exist_ok=True)
    return {**os.environ, "DOCKER_CONFIG": str(folder), "REGISTRY_AUTH_FILE": str(folder / "auth.json")}


def pull_with_crane(world: World, reference: str) -> str:
    """Pull a whole image into a folder; returns its digest.

    Raises:
        SandboxError: The pull failed; the message ends with crane's.
    """
    with _new_folder(world) as folder:
        run(("crane", "pull", "--format=oci", reference, folder), environment=anonymous(world))
        digest: str = json.loads((folder / "index.json").read_text())["manifests"][0]["digest"]
        return digest


def pull_with_skopeo(world: World, reference: str) -> str:
    """Copy a whole image into a folder; returns its digest.

    Raises:
        SandboxError: The pull failed.
    """
    with _new_folder(world) as folder:
        shutil.copy(world.ca.certificate, folder / "ca.crt")
        target = folder / "image"
        source = (f"--src-cert-dir={folder}", f"docker://{reference}")
        run(("skopeo", "copy", "--insecure-policy", *source, f"dir:{target}"), environment=anonymous(world))
        return f"sha256:{hashlib.sha256((target / 'manifest.json').read_bytes()).hexdigest()}"


def pull_with_containerd(world: World, words: Sequence[str]) -> str:
    """Run `ctr images pull REFERENCE` as it is, against the node's containerd; returns the digest of the image there.

    Raises:
        SandboxError: The pull failed; the message ends with containerd's.
    """
    client = {"CONTAINERD_ADDRESS": str(world.containerd_socket), "CONTAINERD_NAMESPACE": NAMESPACE}
    environment = {**anonymous(world), **client}
    run(words, environment=environment)
    _, image = run(("ctr", "images", "list", f"name=={words[-1]}"), environment=environment).splitlines()
    run(("ctr", "images", "remove", "--sync", words[-1]), environment=environment)
    return image.split()[2]


@contextmanager
def _new_folder(world: World) -> Iterator[Path]:
    """An empty folder: a client that finds a layer there does not pull it."""
    with tempfile.TemporaryDirectory(dir=world.run) as folder:
        yield Path(folder)


def pull_with_kubelet(reference: str, name: str) -> str:
    """Run a pod from the image, the kubelet pulling it without any pull secret; returns the digest that runs.

    Raises:
        SandboxError: The pod does not run in time; the message holds the kubelet's reason.
    """
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "containers": [{"name": "app", "image": reference, "imagePullPolicy": "Always"}],
            "terminationGracePeriodSeconds": 1,
        },
    }
    kubectl_apply(json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}))
    _wait_for_service_account()
    kubectl_apply(json.dumps(pod))
    try:
        return _running_digest(name)
    finally:
        run(("kubectl", "delete", "pod", name, f"--namespace={NAMESPACE}", "--wait=false"))


def _wait_for_service_account() -> None:
    """A new namespace refuses pods until the controller has given it its default account."""
    run(("kubectl", "wait", "--for=create", "serviceaccount/default", f"--namespace={NAMESPACE}", "--timeout=30s"))


def _running_digest(name: str) -> str:
    if not eventually(lambda: "running" in _container(name)["state"], _POD_SECONDS, pause_seconds=_POLL_SECONDS):
        state = json.dumps(_container(name)["state"])
        raise SandboxError(f"pod {name} does not run after {_POD_SECONDS} s: {state}")
    digest: str = _container(name)["imageID"].rpartition("@")[2]
    return digest


def _container(name: str) -> Mapping[str, Any]:
    """The status of the pod's one container."""
    status = kubectl_json("get", "pod", name, f"--namespace={NAMESPACE}")["status"]
    container: Mapping[str, Any] = (status.get("containerStatuses") or [{"state": {}}])[0]
    return container


@dataclass(frozen=True, slots=True)
class BlobPull:
    """A blob being pulled in the background. As a context manager it ends the client and removes the file.

    Attributes:
        process: The client.
        target: Where the bytes go.
        digest: What they must hash to.
    """

    process: subprocess.Popen[str]
    target: Path
    digest: str

    @classmethod
    def start(cls, world: World, repository: str, digest: str) -> Self:
        """Begin pulling a blob from the public domain with crane."""
        target = world.run / f"blob-{time.monotonic_ns()}"
        with target.open("wb") as file:
            process = subprocess.Popen(
                ("crane", "blob", f"{world.domain}/{repository}@{digest}"),
                stdout=file,
                stderr=subprocess.PIPE,
                text=True,
                env=anonymous(world),
            )
        return cls(process, target, digest)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()
        self.target.unlink(missing_ok=True)

    @property
    def is_running(self) -> bool:
        """Whether the client still runs."""
        return self.process.poll() is None

    @property
    def received_bytes(self) -> int:
        """The number of bytes received so far."""
        return self.target.stat().st_size

    def finish(self, timeout_seconds: float) -> str:
        """Wait for its end; returns the digest of what came, which the caller compares.

        Raises:
            SandboxError: The client failed or took too long.
        """
        try:
            _, errors = self.process.communicate(timeout=timeout_seconds)
        except subprocess.TimeoutExpired as error:
            raise SandboxError(
                f"the pull is not over after {timeout_seconds} s; {self.received_bytes} bytes came"
            ) from error
        if self.process.returncode:
            raise SandboxError(f"the pull failed after {self.received_bytes} bytes: {errors.strip()}")
        with self.target.open("rb") as file:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def pull_new_layer(world: World, digest: str, timeout_seconds: float) -> str:
    """Pull a layer of the application's repository; returns the digest of what came.

    Raises:
        SandboxError: The client failed or took too long.
    """
    with BlobPull.start(world, world.app_repository, digest) as pull:
        return pull.finish(timeout_seconds)


def fetch_from_pod(world: World, pod: str, path: str, *, tls: bool = True) -> str:
    """GET a path of the public domain from one pod, whichever the Service would choose; returns the digest of the body.

    Args:
        world: The sandbox.
        pod: Its name.
        path: Without a slash at the beginning.
        tls: Whether nginx terminates TLS.

    Raises:
        SandboxError: The pod does not answer with 200, or the body is cut.
    """
    address = kubectl_json("get", "pod", pod, f"--namespace={world.namespace}")["status"]["podIP"]
    with _new_folder(world) as folder:
        scheme, leads_to = ("https", f":443:{address}:8443") if tls else ("http", f":80:{address}:8080")
        to = ("--connect-to", f"{world.domain}{leads_to}")
        run(("curl", "-sSf", *to, "-o", folder / "body", f"{scheme}://{world.domain}/{path}"))
        return f"sha256:{hashlib.sha256((folder / 'body').read_bytes()).hexdigest()}"


def statuses(world: World, path: str) -> set[int]:
    """The statuses with which all pods of the proxy answer; they terminate TLS.

    Args:
        world: The sandbox.
        path: In the application's repository, such as `manifests/1.4`.
    """
    return {_status(world, pod, path) for pod in installation.proxy_pods(world)}


def _status(world: World, pod: str, path: str) -> int:
    address = kubectl_json("get", "pod", pod, f"--namespace={world.namespace}")["status"]["podIP"]
    leads_to = f"{world.domain}:443:{address}:8443"
    url = f"https://{world.domain}/v2/{world.app_repository}/{path}"
    accept = "Accept: application/vnd.oci.image.manifest.v1+json"
    return int(
        run(("curl", "-sS", "-H", accept, "--connect-to", leads_to, "-o", "/dev/null", "-w", "%{http_code}", url))
    )


def try_to_push(world: World, reference: str) -> str:
    """Try to push the application's image under a new tag; returns the client's error message.

    The tag must be new: a client that finds the manifest there does not send it.

    Raises:
        SandboxError: The push was not refused.
    """
    try:
        run(("crane", "push", world.app_archive, reference), environment=anonymous(world))
    except SandboxError as error:
        return str(error).strip().splitlines()[-1]
    raise SandboxError(f"a push to {reference} was not refused")
