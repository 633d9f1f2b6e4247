"""The contestants, from no proxy at all to the limit. Each serves the same repository under the same paths."""

import base64
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from lambda_fn.contract.paths import HTTP_PORT, HTTPS_PORT
from lambda_fn.settings import parse_toml
from testbed.bench.process import Process, nginx
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World

TLS_OFFSET = 400
"""The distance from the port without TLS to the one with TLS."""


class Contestant:
    """Something to pull from, and how.

    Attributes:
        name: In results.
        title: In tables and pictures.
        origin: Where it answers.
        secure_origin: Where it answers over TLS; None where it does not.
        headers: What a client has to send.
        redirects: Whether it sends its clients to S3 for blobs.
        caches: Whether it caches blobs.
    """

    name = ""
    title = ""
    origin = ""
    secure_origin: str | None = None
    headers: Mapping[str, str] = {}
    redirects = False
    caches = False

    def start(self) -> None:
        """Start serving."""

    def stop(self) -> None:
        """Stop serving."""

    def make_cold(self) -> None:
        """Empty the cache."""

    def processes(self) -> list[int]:
        """The processes it consists of, without those below them."""
        return []


class Direct(Contestant):
    """No proxy: a client that has logged in to ECR."""

    name, title, redirects = "direct", "no proxy", True

    def __init__(self, world: World, token: str) -> None:
        self.origin = self.secure_origin = f"https://{world.ecr_host}"
        self.headers = {"Authorization": f"Basic {token}"}


class Nginx(Contestant):
    """nginx with a configuration of `testbed/bench/nginx/`."""

    def __init__(self, world: World, folder: Path, port: int, values: Mapping[str, object]) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.secure_origin = f"https://127.0.0.1:{port + TLS_OFFSET}"
        self._folder = folder
        (folder / "cache").mkdir(parents=True, exist_ok=True)
        for name, source in (("tls.crt", world.pair("domain").certificate), ("tls.key", world.pair("domain").key)):
            shutil.copy(source, folder / name)
        known = {
            "port": port,
            "secure_port": port + TLS_OFFSET,
            "ecr_host": world.ecr_host,
            "resolver": world.dns_address,
        }
        self._process = nginx(world, folder, f"{self.name}.conf.j2", known | dict(values))

    def start(self) -> None:
        """Start serving."""
        self._process.start(int(self.origin.rpartition(":")[2]))

    def stop(self) -> None:
        """Stop serving."""
        self._process.stop()

    def make_cold(self) -> None:
        """Empty the cache."""
        for file in (self._folder / "cache").glob("*/*/*"):
            file.unlink(missing_ok=True)

    def processes(self) -> list[int]:
        """The processes it consists of."""
        return [self._process.pid]


class Plain(Nginx):
    """The well-known configuration."""

    name, title, redirects = "plain", "plain proxy_pass", True


class WholeFile(Nginx):
    """The same with an ordinary cache behind the redirect."""

    name, title, caches = "whole_file", "proxy_cache of whole files", True


class Limit(Nginx):
    """Static files."""

    name, title, caches = "limit", "static files (the limit)", True


class Distribution(Contestant):
    """CNCF distribution as a pull-through cache, with its credential helper; one process without TLS, one with."""

    name, title, caches = "distribution", "distribution v3", True

    def __init__(self, world: World, folder: Path, port: int, token: str) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.secure_origin = f"https://127.0.0.1:{port + TLS_OFFSET}"
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._helper(world.ecr_host, token)
        self._parts = [
            (port, self._part(world, "plain", f'addr: "127.0.0.1:{port}"')),
            (
                port + TLS_OFFSET,
                self._part(world, "tls", f'addr: "127.0.0.1:{port + TLS_OFFSET}", tls: {_tls(world)}'),
            ),
        ]

    def start(self) -> None:
        """Start serving."""
        for port, process in self._parts:
            process.start(port)

    def stop(self) -> None:
        """Stop serving."""
        for _, process in self._parts:
            process.stop()

    def make_cold(self) -> None:
        """Empty the cache."""
        self.stop()  # it holds its index in memory
        shutil.rmtree(self._folder / "storage", ignore_errors=True)
        self.start()

    def processes(self) -> list[int]:
        """The processes it consists of."""
        return [self._parts[0][1].pid]

    def _helper(self, host: str, token: str) -> None:
        """A credential helper as docker knows them; ECR's own helper calls AWS, this one has the token."""
        user, _, password = base64.b64decode(token).decode().partition(":")
        answer = json.dumps({"ServerURL": host, "Username": user, "Secret": password})
        script = self._folder / "docker-credential-bench"
        script.touch(mode=0o700)
        script.write_text(f"#!/bin/sh\ncat >/dev/null\necho '{answer}'\n")

    def _part(self, world: World, name: str, http: str) -> Process:
        configuration = self._folder / f"{name}.yml"
        configuration.write_text(
            f"""\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {self._folder}/storage}}, cache: {{blobdescriptor: inmemory}}}}
http: {{{http}}}
proxy: {{remoteurl: "https://{world.ecr_host}", exec: {{command: {self._folder}/docker-credential-bench}}}}
"""
        )
        environment = {**os.environ, "OTEL_TRACES_EXPORTER": "none"}
        return Process(("registry", "serve", configuration), self._folder / f"{name}.log", environment)


class Frontdoor(Contestant):
    """ecr-frontdoor: the charts' command, user and mounts, the template as the Lambda renders it, default settings.

    Args:
        world: The sandbox.
        folder: Its own.
        token: What follows `Basic `.
        ports_moved_by: For a second pod at the same time.
        proxy: Lines of settings below `[proxy]`.
        tables: Of registries, without their accounts and regions; each is of the sandbox's registry.
    """

    name, title, caches = "frontdoor", "ecr-frontdoor", True

    def __init__(
        self,
        world: World,
        folder: Path,
        token: str,
        *,
        ports_moved_by: int = 0,
        proxy: str = "",
        tables: Sequence[str] = ('repositories = ["team/*"]',),
    ) -> None:
        self.origin = f"http://127.0.0.1:{HTTP_PORT + ports_moved_by}"
        self.secure_origin = f"https://127.0.0.1:{HTTPS_PORT + ports_moved_by}"
        folder.mkdir(parents=True, exist_ok=True)
        place = f'account = "{world.account}", region = "{world.region}"'
        settings = parse_toml(
            f"""
            domain = "{world.domain}"
            cluster = {{ name = "{world.cluster}", region = "{world.region}" }}
            registries = [{", ".join(f"{{ {place}, {table} }}" for table in tables)}]
            [proxy]
            exposure = {{ kind = "pod", tls_secret = "registry-tls" }}
            {proxy}
            """,
            "the benchmark's settings",
        )
        self.tag_seconds = settings.proxy.cache.tag_seconds
        self._pod = Pod(folder, world, settings, ports_moved_by=ports_moved_by)
        self._pod.give({world.ecr_host: token})
        pair = world.pair("domain")
        self._pod.mount("tls", {"tls.crt": pair.certificate.read_bytes(), "tls.key": pair.key.read_bytes()})

    def start(self) -> None:
        """Start serving."""
        self._pod.start()

    def stop(self) -> None:
        """Stop serving."""
        self._pod.stop()

    def make_cold(self) -> None:
        """Empty the cache."""
        self._pod.empty_cache()

    def processes(self) -> list[int]:
        """The processes it consists of."""
        return [self._pod.pid]


def _tls(world: World) -> str:
    pair = world.pair("domain")
    return f"{{certificate: {pair.certificate}, key: {pair.key}}}"
