"""Pull-through caches: a GET of a tag that a mirrored repository lacks imports the image from the upstream.

The upstream of `docker-hub/library/nginx` is `upstream/docker-hub/library/nginx` in the world's other account.
"""

import asyncio
import json
from typing import Any

from aiohttp import web

from testbed.sandbox.cloud import answers
from testbed.sandbox.cloud.cloud import CLOUD, Cloud
from testbed.sandbox.cloud.endpoints import REGISTRY_URL
from testbed.sandbox.cloud.hosts import RegistryHost
from testbed.sandbox.cloud.lifecycle import ImageId
from testbed.sandbox.cloud.publish import digest_of
from testbed.sandbox.cloud.routes import Route

UPSTREAM = "upstream"
"""What the names of the upstreams' repositories begin with."""
_EVERY_TYPE = ", ".join(
    f"application/vnd.{kind}+json"
    for kind in (
        "oci.image.index.v1",
        "oci.image.manifest.v1",
        "docker.distribution.manifest.list.v2",
        "docker.distribution.manifest.v2",
    )
)


def is_mirrored(cloud: Cloud, host: RegistryHost, repository: str) -> bool:
    """Whether a cache rule fills a repository, or the switch that stands for one."""
    by_switch = repository.partition("/")[0] in cloud.behaviour.pull_through
    return by_switch or cloud.cache_rules.fills(host.region, repository)


async def import_missing(request: web.Request, host: RegistryHost, route: Route) -> web.Response | None:
    """Import what a request asks for, if a cache rule does; ECR's error where it refuses, None where pulls go on."""
    cloud = request.app[CLOUD]
    if route.kind != "manifests" or request.method != "GET" or route.reference.startswith("sha256:"):
        return None
    if not is_mirrored(cloud, host, route.repository) or await _has(cloud, host, route):
        return None
    known = route.repository in cloud.repositories.get(host, set())
    needed = {"ecr:BatchImportUpstreamImage"} | (set() if known else {"ecr:CreateRepository"})
    if needed & cloud.behaviour.denied_actions:
        return None
    await asyncio.sleep(cloud.behaviour.import_seconds)
    if cloud.behaviour.import_refused:
        return answers.refused_import()
    if cloud.behaviour.import_status:
        return answers.registry_error(cloud.behaviour.import_status, "UNKNOWN", "Internal failure")
    return None if await _copied(cloud, host, route.repository, route.reference) else answers.unknown_image()


async def _has(cloud: Cloud, host: RegistryHost, route: Route) -> bool:
    found = await _manifest(cloud, f"{host.prefix}/{route.repository}", route.reference)
    return found is not None and not cloud.lifecycle.is_hidden(ImageId(host, route.repository, digest_of(found[1])))


async def _manifest(cloud: Cloud, inside: str, reference: str) -> tuple[str, bytes] | None:
    """The media type and the bytes of a manifest, by the repository's name in the real registry."""
    url = f"{REGISTRY_URL}/v2/{inside}/manifests/{reference}"
    async with cloud.session.get(url, headers={"Accept": _EVERY_TYPE}) as answer:
        return (answer.content_type, await answer.read()) if answer.ok else None


async def _copied(cloud: Cloud, host: RegistryHost, repository: str, reference: str) -> bool:
    """Copy an image with all that it names; False where the upstream lacks it."""
    upstream = RegistryHost(cloud.world.other_account, host.region)
    source, target = f"{upstream.prefix}/{UPSTREAM}/{repository}", f"{host.prefix}/{repository}"
    found = await _manifest(cloud, source, reference)
    if found is None:
        return False
    media_type, content = found
    document: dict[str, Any] = json.loads(content)
    for child in document.get("manifests", []):
        await _copied(cloud, host, repository, child["digest"])
    for blob in [document["config"], *document["layers"]] if "config" in document else []:
        uploads = f"{REGISTRY_URL}/v2/{target}/blobs/uploads/?mount={blob['digest']}&from={source}"
        async with cloud.session.post(uploads) as answer:
            answer.raise_for_status()
    url = f"{REGISTRY_URL}/v2/{target}/manifests/{reference}"
    async with cloud.session.put(url, data=content, headers={"Content-Type": media_type}) as answer:
        answer.raise_for_status()
    cloud.repositories.setdefault(host, set()).add(repository)
    image = ImageId(host, repository, digest_of(content))
    cloud.lifecycle.pushed(image)
    cloud.pushed_images.pushed(image, reference, media_type, content)
    return True
