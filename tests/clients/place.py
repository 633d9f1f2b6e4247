"""Pods for real clients, the image they pull, and what a pod has cached and answered."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Self

import pytest

from lambda_fn.settings import Settings
from testbed.sandbox import installation
from testbed.sandbox.cloud.tokens import Token
from testbed.sandbox.commands import run
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World

HTTPS_PORT = 8443
By = Literal["tag", "digest"]


@dataclass(frozen=True, slots=True)
class Image:
    """An image in the private registry, by its public name."""

    repository: str
    tag: str
    digest: str

    @classmethod
    def pushed(cls, world: World) -> Self:
        """Push the application's image."""
        environment = installation.logged_in(world)
        run(("crane", "push", world.app_archive, world.app_image), environment=environment)
        digest = run(("crane", "digest", world.app_image), environment=environment).strip()
        return cls(f"{world.domain}:{HTTPS_PORT}/{world.app_repository}", world.app_tag, digest)

    def by(self, way: By) -> str:
        """The reference a client pulls it by."""
        return f"{self.repository}:{self.tag}" if way == "tag" else f"{self.repository}@{self.digest}"


@dataclass(frozen=True, slots=True)
class Places:
    """Makes pods, one at a time: they share a network."""

    folders: pytest.TempPathFactory
    world: World
    settings: Settings
    token: Token

    @contextmanager
    def pod(self) -> Iterator[Pod]:
        """A pod that serves TLS with an empty cache."""
        made = Pod(self.folders.mktemp("pod"), self.world, self.settings)
        made.give(dict.fromkeys(self.world.ecr_hosts, self.token.authorization))
        pair = self.world.pair("domain")
        made.mount("tls", {"tls.crt": pair.certificate.read_bytes(), "tls.key": pair.key.read_bytes()})
        made.start()
        try:
            yield made
        finally:
            made.stop()


def cached_keys(pod: Pod) -> frozenset[str]:
    """The keys of what the pod has on its volume for manifests and blobs: nginx writes each into its file."""
    files = (file for file in (pod.folder / "cache").rglob("*") if file.is_file())
    return frozenset(key for file in files for key in _keys(file.read_bytes()[:8192]))


def answers(pod: Pod) -> list[Mapping[str, Any]]:
    """The pod's access log, of what clients asked for."""
    lines = (json.loads(line) for line in (pod.folder / "stdout").read_text("utf-8").splitlines())
    return [line for line in lines if line["server"] == "front" and line["path"].startswith("/v2/")]


def _keys(head: bytes) -> list[str]:
    return [key.decode() for key in re.findall(rb"^KEY: (.*)$", head, re.MULTILINE)]
