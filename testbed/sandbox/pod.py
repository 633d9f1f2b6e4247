"""The proxy's pod without a kubelet: the chart's commands, in the image's root filesystem, over the pod's mounts."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from k8s_manifests import documents
from k8s_manifests.configuration import scripts
from lambda_fn.contract.objects import TEMPLATE_KEY, page_config_map
from lambda_fn.contract.paths import HTTP_PORT, HTTPS_PORT, METRICS_PORT, PROXY_PROTOCOL_PORT
from lambda_fn.job.configuration import rendered
from lambda_fn.settings import Settings
from testbed.sandbox.world import World
from testbed.waiting import eventually

START_STOP_SECONDS = 60
"""The longest time nginx may take to start or, without a request to finish, to stop."""

PORTS = (HTTP_PORT, 8081, PROXY_PROTOCOL_PORT, METRICS_PORT, HTTPS_PORT)
"""Everything a pod listens on."""

Auths = Mapping[str, str]
"""ECR host -> authorization token."""


class Pod:
    """One pod in the network of the sandbox, for tests of the proxy and for benchmarks.

    The volumes are in `folder`, where tests change them.

    Args:
        folder: An empty one.
        world: The sandbox.
        settings: The product's.
        ports_moved_by: Added to each of `PORTS`: pods that run at the same time share a network.
    """

    def __init__(self, folder: Path, world: World, settings: Settings, *, ports_moved_by: int = 0) -> None:
        self.folder = folder
        self.world = world
        self.settings = settings
        self._ports_moved_by = ports_moved_by
        self.tolerated: tuple[str, ...] = ("exited on signal 9", 'unlink() "/run/frontdoor/microcache')
        """Words of critical log lines that a test causes on purpose."""
        self.waits_for_upstreams = True
        """Whether `start` waits until nginx has resolved the registries' names, which it does once it listens."""
        self._objects = documents(settings)
        spec = self._object("Deployment")["spec"]["template"]["spec"]
        (self._check,), (self._nginx,) = spec["initContainers"], spec["containers"]
        self._process: subprocess.Popen[bytes] | None = None
        for volume in spec["volumes"]:
            (folder / volume["name"]).mkdir()
        self.configure(self.template(TEMPLATE_KEY))
        if files := self._data_of(page_config_map(settings.names.workload)):
            self.mount("page", files)
        for script in scripts():
            (folder / "scripts" / script).write_text(self._on_own_ports(self.template(script)), encoding="utf-8")

    # --- the content of the mounts ------------------------------------------------------------------------------------

    def template(self, key: str) -> str:
        """What the charts put under a key into a ConfigMap."""
        data = (d["data"] for d in self._objects if d["kind"] == "ConfigMap")
        return str(next(values[key] for values in data if key in values))

    def configure(self, template: str) -> None:
        """Render a template into the configuration's ConfigMap, by the function that the Lambda renders with."""
        hosts = tuple(self.world.registry_host(registry.account) for registry in self.settings.registries)
        resolver = self.settings.proxy.resolver or self.world.dns_address
        text = rendered(self.settings, hosts, resolver, template)
        (self.folder / "config" / "nginx.conf").write_text(self._on_own_ports(text), encoding="utf-8")

    def configuration(self) -> str:
        """The configuration's ConfigMap."""
        return (self.folder / "config" / "nginx.conf").read_text(encoding="utf-8")

    def give(self, auths: Auths) -> None:
        """Put tokens into the pull secret, as the Lambda does: for the kubelet all together, for nginx one by one."""
        config = json.dumps({"auths": {host: {"auth": auth} for host, auth in auths.items()}})
        hosts = {host: auth.encode() for host, auth in auths.items()}
        self.mount("credential", {".dockerconfigjson": config.encode(), **hosts})

    def put_credential(self, text: str | None) -> None:
        """Put any text into the pull secret, or remove its key."""
        self.mount("credential", {} if text is None else {".dockerconfigjson": text.encode()})

    def mount(self, volume: str, files: Mapping[str, bytes]) -> None:
        """Replace a Secret's or ConfigMap's volume as a kubelet does: by exchanging a link, so none is half there."""
        folder = self.folder / volume
        data = folder / f"..{time.monotonic_ns()}"
        data.mkdir()
        for name, content in files.items():
            (data / name).write_bytes(content)
            if not (folder / name).is_symlink():
                (folder / name).symlink_to(f"..data/{name}")
        link = folder / "..data_tmp"
        link.symlink_to(data.name)
        link.rename(folder / "..data")

    # --- its lifecycle ------------------------------------------------------------------------------------------------

    def check(self) -> subprocess.CompletedProcess[bytes]:
        """Run the init container to its end."""
        command = [*self._bubble(self._check), *self._check["command"]]
        return subprocess.run(command, capture_output=True, check=False, timeout=START_STOP_SECONDS)

    def start(self) -> None:
        """Run the init container, then nginx; returns when nginx serves.

        Raises:
            RuntimeError: The check fails, or nginx ends instead.
        """
        checked = self.check()
        if checked.returncode:
            raise RuntimeError(f"the init container ended with status {checked.returncode}: {checked.stderr.decode()}")
        self.restart()

    def restart(self) -> None:
        """Run nginx again in the same pod, as a kubelet does when the container has ended."""
        with (self.folder / "stdout").open("ab") as stdout, (self.folder / "stderr").open("ab") as stderr:
            self._process = subprocess.Popen(
                [*self._bubble(self._nginx), *self._nginx["command"]], stdout=stdout, stderr=stderr
            )
        if not eventually(self._listens_or_ended, START_STOP_SECONDS, pause_seconds=0.02):
            raise RuntimeError(f"nginx does not listen after {START_STOP_SECONDS} s: {self.error_log()}")
        if self._process.poll() is not None:
            raise RuntimeError(f"nginx ended with status {self._process.returncode}: {self.error_log()}")
        if self.waits_for_upstreams:
            self.wait_for_upstreams()

    def wait_for_upstreams(self) -> None:
        """Return when the startup probe succeeds: before that, the kubelet sends no client to a pod.

        Raises:
            RuntimeError: It does not succeed in time.
        """
        if not eventually(self._passes_startup_probe, START_STOP_SECONDS, pause_seconds=0.3):
            raise RuntimeError(f"the startup probe fails after {START_STOP_SECONDS} s: {self.error_log()}")

    def stop(self) -> None:
        """Ask nginx to finish, and wait until it has.

        Raises:
            RuntimeError: It does not finish in time; then it is killed.
        """
        if self._process and self._process.poll() is None:
            os.kill(self.pid, signal.SIGQUIT)
            if not self.has_ended(START_STOP_SECONDS):
                self._kill_all()
                raise RuntimeError(f"nginx does not end within {START_STOP_SECONDS} s: {self.error_log()}")

    def kill(self) -> None:
        """End nginx as the kernel does when memory runs out: by SIGKILL."""
        self._kill_all()
        (self.folder / "run" / "nginx.pid").unlink()

    def pre_stop(self) -> subprocess.Popen[bytes]:
        """Start the container's preStop hook inside it."""
        command = self._nginx["lifecycle"]["preStop"]["exec"]["command"]
        return subprocess.Popen(["nsenter", "--target", str(self.pid), "--all", "--preserve-credentials", *command])

    def has_ended(self, within_seconds: float) -> bool:
        """Whether the container ends within the time."""
        try:
            self._running.wait(within_seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    @property
    def pid(self) -> int:
        """Nginx's master process, which is process 1 inside."""
        outer = self._running.pid
        return int(Path(f"/proc/{outer}/task/{outer}/children").read_text().split()[0])

    @property
    def children(self) -> list[int]:
        """Nginx's workers, and its cache manager."""
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    @property
    def workers(self) -> list[int]:
        """Those of them that serve; none when nginx has ended."""
        with suppress(OSError):
            return [pid for pid in self.children if "worker process" in Path(f"/proc/{pid}/cmdline").read_text()]
        return []

    def cached_files(self) -> set[str]:
        """The paths of everything in the cache's volume that nginx has stored."""
        folder = self.folder / "cache"
        return {str(file.relative_to(folder)) for file in folder.glob("*/*/*/*")}

    def empty_cache(self) -> None:
        """Delete every cached file: nginx fetches again what it does not find."""
        for folder in (
            "cache/blobs",
            "cache/manifests",
            "cache/images",
            "cache/tags",
            "run/redirects",
            "run/microcache",
        ):
            for file in (self.folder / folder).glob("*/*/*"):
                file.unlink(missing_ok=True)

    # --- its logs -----------------------------------------------------------------------------------------------------

    def access_log(self, server: str, path: str) -> list[dict[str, Any]]:
        """The log lines of one server about requests whose path ends in `path`. nginx writes them after the response.

        Raises:
            AssertionError: There is none.
        """

        def lines() -> list[dict[str, Any]]:
            return [line for line in self.log_lines(server) if line["path"].endswith(path)]

        if not (found := eventually(lines, START_STOP_SECONDS, pause_seconds=0.02)):
            raise AssertionError(f"the access log has no line of server {server} about a path that ends in {path}")
        return found

    def log_lines(self, server: str) -> list[dict[str, Any]]:
        """The log lines of one server that are whole by now."""
        file = self.folder / "stdout"
        *whole, _being_written = (file.read_bytes() if file.exists() else b"").split(b"\n")
        return [line for line in map(json.loads, whole) if line["server"] == server]

    def error_log(self) -> str:
        """Standard error."""
        return self._written("stderr")

    def logs(self) -> str:
        """Everything it has written."""
        return self._written("stdout") + self._written("stderr")

    def _written(self, stream: str) -> str:
        file = self.folder / stream
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    # --- parts --------------------------------------------------------------------------------------------------------

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("this pod was never started")
        return self._process

    def _kill_all(self) -> None:
        """Kill process 1, not the container's runtime: the runtime ends after all that is inside, so ports are free."""
        os.kill(self.pid, signal.SIGKILL)
        self._running.wait(START_STOP_SECONDS)

    def _passes_startup_probe(self) -> bool:
        port = HTTP_PORT + self._ports_moved_by
        with closing(HTTPConnection("127.0.0.1", port, timeout=START_STOP_SECONDS)) as connection:
            connection.request("GET", "/-/startup")
            return connection.getresponse().status == HTTPStatus.OK

    def _listens_or_ended(self) -> bool:
        # The test of the configuration listens for a moment, and leaves this file empty.
        pid = self.folder / "run" / "nginx.pid"
        has_started = pid.exists() and pid.stat().st_size > 0 and self._is_listening()
        return has_started or self._running.poll() is not None

    def _is_listening(self) -> bool:
        """The port without TLS is in state listen (0A)."""
        port = f":{HTTP_PORT + self._ports_moved_by:04X}"
        table = Path("/proc/net/tcp").read_text().splitlines()[1:]
        return any(row.split()[1].endswith(port) and row.split()[3] == "0A" for row in table)

    def _on_own_ports(self, text: str) -> str:
        if not self._ports_moved_by:
            return text
        ports = "|".join(map(str, PORTS))
        return re.sub(rf"\b(?:{ports})\b", lambda found: str(int(found[0]) + self._ports_moved_by), text)

    def _bubble(self, container: dict[str, Any]) -> list[str]:
        bwrap = shutil.which("bwrap") or "bwrap"
        mounts: list[str] = []
        for mount in container["volumeMounts"]:
            how = "--ro-bind" if mount.get("readOnly") else "--bind"
            mounts += [how, str(self.folder / mount["name"]), mount["mountPath"]]
        user = ("--unshare-user", "--uid", "101", "--gid", "101")
        process = ("--unshare-pid", "--as-pid-1", "--die-with-parent", "--cap-drop", "ALL", "--clearenv")
        path = ("--setenv", "PATH", "/usr/sbin:/usr/bin")
        # The sandbox covers parts of /proc, and the kernel then refuses a fresh one to a user namespace.
        root = ("--ro-bind", str(self.world.nginx_root), "/", "--dev", "/dev", "--ro-bind", "/proc", "/proc")
        # A container runtime makes mount points, also on a read-only root filesystem.
        mount_points = ("--tmpfs", "/etc/frontdoor")
        return [bwrap, *user, *process, *path, *root, *mount_points, *mounts, "--"]

    def _data_of(self, config_map: str) -> dict[str, bytes]:
        """What the charts put into a ConfigMap; nothing where they have none of this name."""
        data = [d["data"] for d in self._objects if d["kind"] == "ConfigMap" and d["metadata"]["name"] == config_map]
        return {key: text.encode() for found in data for key, text in found.items()}

    def _object(self, kind: str) -> dict[str, Any]:
        return next(d for d in self._objects if d["kind"] == kind)
