"""Pods for real clients, the image they pull, and what a pod has cached and answered."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Literal, Self

import pytest

from lambda_fn.settings import Settings
from testbed.clients.client import Client
from testbed.sandbox import installation
from testbed.sandbox.cloud.tokens import Token
from testbed.sandbox.commands import run
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World

HTTPS_PORT = 8443
MULTI = "team/multi"
"""A repository of an image for two platforms."""
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
        _crane(world, "push", str(world.app_archive), world.app_image)
        return cls(_public(world, world.app_repository), world.app_tag, _crane(world, "digest", world.app_image))

    @classmethod
    def pushed_for_platforms(cls, world: World) -> Self:
        """Push an index of the image for two platforms, in OCI's media types, as `docker buildx` does."""
        private = f"{world.ecr_host}/{MULTI}"
        platforms = ("amd64", "arm64")
        for platform in platforms:
            layer = world.images / "app-1.tar.gz"
            base = f"{private}:base-{platform}"
            _crane(world, "append", "--oci-empty-base", f"--new_layer={layer}", f"--new_tag={base}")
            _crane(world, "mutate", base, f"--set-platform=linux/{platform}", f"--tag={private}:{platform}")
        manifests = (f"--manifest={private}:{platform}" for platform in platforms)
        _crane(world, "index", "append", *manifests, f"--tag={private}:1")
        return cls(_public(world, MULTI), "1", _crane(world, "digest", f"{private}:1"))

    @property
    def host(self) -> str:
        """The public registry."""
        return self.repository.partition("/")[0]

    def moved_to(self, host: str) -> Self:
        """The same image by its name at another registry."""
        return replace(self, repository=f"{host}/{self.repository.partition('/')[2]}")

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
            made.kill()  # clients keep connections open, and a drain is not what is tested here


def cached_keys(pod: Pod) -> frozenset[str]:
    """The keys of what the pod has on its volume for tags, manifests and blobs: nginx writes each into its file.

    Without what it knows of images (the zone `images`): that grows with the names that clients use, and serves nothing.
    """
    folders = (pod.folder / "cache" / zone for zone in ("blobs", "manifests", "tags"))
    files = (file for folder in folders for file in folder.rglob("*") if file.is_file())
    return frozenset(key for file in files for key in _keys(file.read_bytes()[:8192]))


def answers(pod: Pod) -> list[Mapping[str, Any]]:
    """The pod's access log, of what clients asked for."""
    return [line for line in pod.log_lines("front") if "/v2/" in line["path"]]


def blobs(seen: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """The blobs among what clients have been sent in full."""
    return frozenset(
        line["path"].rpartition("/")[2]
        for line in seen
        if (line["method"], line["status"]) == ("GET", HTTPStatus.OK) and "/blobs/" in line["path"]
    )


def blobs_of_a_pull(client: Client, pod: Pod, reference: str) -> frozenset[str]:
    """The digests of the blobs that a client fetches through a pod, when it has nothing of the image."""
    client.forget()
    before = len(answers(pod))
    outcome = client.pull(reference)
    assert outcome.succeeded, outcome.output
    return blobs(answers(pod)[before:])


def _keys(head: bytes) -> list[str]:
    return [key.decode() for key in re.findall(rb"^KEY: (.*)$", head, re.MULTILINE)]


def _public(world: World, repository: str) -> str:
    return f"{world.domain}:{HTTPS_PORT}/{repository}"


def _crane(world: World, *words: str) -> str:
    """Run crane as an engineer who has logged in to the private registry."""
    return run(("crane", *words), environment=installation.logged_in(world)).strip()
