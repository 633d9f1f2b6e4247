"""The sandbox's container images and the unpacked proxy image, built for each sandbox since they trust its CA."""

import hashlib
import shutil
from pathlib import Path

from testbed.sandbox import archive, rootfs
from testbed.sandbox.archive import Layer
from testbed.sandbox.commands import run
from testbed.sandbox.node import PAUSE_IMAGE
from testbed.sandbox.world import World

APP_PAYLOAD_BYTES = 8 << 20
"""Random bytes, which no compression shrinks: pulling the image takes time."""

APP_APPLETS = ("cat", "httpd", "ls", "sh", "sleep", "wget")
APP_COMMAND = """\
echo "team/app $(cat /app/version) is running"
httpd -p 8080 -h /app
trap 'exit 0' TERM
while :; do sleep 1 & wait $!; done
"""
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def proxy_image(world: World) -> str:
    """The proxy image's address in the private registry; its tag is nginx's version."""
    return f"{world.ecr_host}/{world.proxy_repository}:{_version_file(world).read_text()}"


def create(world: World) -> None:
    """Make the three archives in `world.images`, and `world.nginx_root`.

    Raises:
        SandboxError: The cached root filesystems are not usable.
    """
    _proxy(world)
    _app(world)
    _pause(world)


def load_pause_image(world: World) -> None:
    """Import the pause image, which every pod needs and no registry serves here."""
    run(("ctr", "--address", world.containerd_socket, "--namespace", "k8s.io", "images", "import", _pause_tar(world)))


def _proxy(world: World) -> None:
    source = rootfs.nginx(world.cache)
    shutil.copytree(source.root, world.nginx_root, symlinks=True)
    trusted = (source.root / rootfs.TRUST_STORE).read_bytes() + world.ca.certificate.read_bytes()
    (world.nginx_root / rootfs.TRUST_STORE).write_bytes(trusted)
    trust = Layer.of_files({str(rootfs.TRUST_STORE): trusted}, world.images / "trust.tar.gz")
    world.images.mkdir(parents=True, exist_ok=True)
    _version_file(world).write_text(rootfs.nginx_version(source.root))
    config = {"User": "101:101", "Env": [PATH], "Cmd": ["nginx", "-g", "daemon off;"], "StopSignal": "SIGQUIT"}
    archive.write(world.proxy_archive, proxy_image(world), (Layer.of_blob(source.blob), trust), config)


def _app(world: World) -> None:
    busybox = (rootfs.static(world.cache).root / "usr" / "bin" / "busybox").read_bytes()
    programs = {"bin/busybox": busybox} | {f"bin/{applet}": Path("busybox") for applet in APP_APPLETS}
    payload = hashlib.shake_256(world.app_repository.encode()).digest(APP_PAYLOAD_BYTES)
    layers = (
        Layer.of_files(programs, world.images / "app-1.tar.gz", mode=0o755),
        Layer.of_files({"app/payload": payload}, world.images / "app-2.tar.gz"),
        Layer.of_files({"app/version": world.app_tag.encode()}, world.images / "app-3.tar.gz"),
    )
    config = {"User": "65534:65534", "Env": [PATH], "Cmd": ["sh", "-c", APP_COMMAND]}
    archive.write(world.app_archive, world.app_image, layers, config)


def _pause(world: World) -> None:
    catatonit = (rootfs.static(world.cache).root / "usr" / "bin" / "catatonit").read_bytes()
    layer = Layer.of_files({"pause": catatonit}, world.images / "pause-1.tar.gz", mode=0o755)
    archive.write(_pause_tar(world), PAUSE_IMAGE, (layer,), {"Entrypoint": ["/pause", "-P"], "User": "65535:65535"})


def _pause_tar(world: World) -> Path:
    return world.images / "pause.tar"


def _version_file(world: World) -> Path:
    return world.images / "nginx-version"
