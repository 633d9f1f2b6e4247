"""The operations of ECR's API that read repositories, images, manifests and layers: rows I6 to I10 of ecr-double.md."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiohttp import web

from testbed.sandbox.cloud import answers, pages
from testbed.sandbox.cloud.cloud import CLOUD, Cloud
from testbed.sandbox.cloud.endpoints import REGISTRY_URL
from testbed.sandbox.cloud.hosts import RegistryHost
from testbed.sandbox.cloud.keyring import AccessKey
from testbed.sandbox.cloud.lifecycle import ImageId
from testbed.sandbox.cloud.locations import Layer

_STATUS = {"ServerException": 500, "AccessDeniedException": 400, "ThrottlingException": 400}
_USUAL, _LARGEST, _MOST_IDS = 100, 1000, 100
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

Parameters = Mapping[str, Any]
_Operation = Callable[[Cloud, RegistryHost, Parameters, AccessKey], Awaitable[web.Response]]


async def answer(
    request: web.Request, operation: str, region: str, parameters: Parameters, caller: AccessKey
) -> web.Response | None:
    """The answer to an operation; `None` where it is another one's."""
    handler = _OPERATIONS.get(operation)
    if handler is None:
        return None
    cloud, host = request.app[CLOUD], RegistryHost(parameters.get("registryId", caller.account), region)
    if error := cloud.behaviour.images_api_error:
        return answers.json_error(_STATUS[error], error, "Rate exceeded")
    name = parameters.get("repositoryName")
    if f"ecr:{operation}" in cloud.behaviour.denied_actions:
        resource = f"arn:aws:ecr:{region}:{host.account}:repository/{name or '*'}"
        message = (
            f"User: {caller.arn} is not authorized to perform: ecr:{operation} on resource: {resource} because no "
            f"identity-based policy allows the ecr:{operation} action"
        )
        return answers.json_error(400, "AccessDeniedException", message)
    if name is not None and name not in cloud.repositories.get(host, set()):
        return _unknown(host, name)
    try:
        return await handler(cloud, host, parameters, caller)
    except ValueError as error:
        return answers.json_error(400, "InvalidParameterException", f"Invalid parameter: {error}")


async def _repositories(cloud: Cloud, host: RegistryHost, parameters: Parameters, _: AccessKey) -> web.Response:
    known = cloud.repositories.get(host, set())
    for name in parameters.get("repositoryNames", ()):
        if name not in known:
            return _unknown(host, name)
    names, more = _page(sorted(parameters.get("repositoryNames", known)), parameters, host.region)
    return answers.json_1_1(
        {"repositories": [{"registryId": host.account, "repositoryName": name} for name in names], **more}
    )


async def _images(cloud: Cloud, host: RegistryHost, parameters: Parameters, _: AccessKey) -> web.Response:
    name = parameters["repositoryName"]
    if "imageIds" in parameters:
        wanted = [each["imageDigest"] for each in _ids(parameters)]
        for digest in wanted:
            if not cloud.lifecycle.exists(ImageId(host, name, digest)):
                message = (
                    f"The image with imageId {{imageDigest:'{digest}', imageTag:'null'}} does not exist within the "
                    f"repository with name '{name}' in the registry with id '{host.account}'"
                )
                return answers.json_error(400, "ImageNotFoundException", message)
        return answers.json_1_1({"imageDetails": [_details(cloud, ImageId(host, name, digest)) for digest in wanted]})
    known = (ImageId(host, name, digest) for digest in cloud.pushed_images.of(host, name))
    digests, more = _page(
        sorted(image.digest for image in known if cloud.lifecycle.exists(image)), parameters, host.region
    )
    return answers.json_1_1(
        {"imageDetails": [_details(cloud, ImageId(host, name, digest)) for digest in digests], **more}
    )


async def _manifests(cloud: Cloud, host: RegistryHost, parameters: Parameters, caller: AccessKey) -> web.Response:
    """Manifests by digest; each is a pull, except of a role that is excluded."""
    name, images, failures = parameters["repositoryName"], [], []
    for image_id in _ids(parameters):
        image = ImageId(host, name, image_id["imageDigest"])
        known = cloud.pushed_images.of(host, name).get(image.digest)
        accepted = parameters.get("acceptedMediaTypes")
        if known is None or not cloud.lifecycle.exists(image) or (accepted and known.media_type not in accepted):
            reason = "Requested image not found"
            failures.append({"imageId": image_id, "failureCode": "ImageNotFound", "failureReason": reason})
            continue
        if not cloud.pull_exclusions.excludes(host.region, caller.arn):
            cloud.lifecycle.pulled(image)
        url = f"{REGISTRY_URL}/v2/{host.prefix}/{name}/manifests/{image.digest}"
        async with cloud.session.get(url, headers={"Accept": known.media_type}) as manifest:
            text = await manifest.text()
        images.append(
            {
                "registryId": host.account,
                "repositoryName": name,
                "imageId": image_id,
                "imageManifest": text,
                "imageManifestMediaType": known.media_type,
            }
        )
    return answers.json_1_1({"images": images, "failures": failures})


async def _layer(cloud: Cloud, host: RegistryHost, parameters: Parameters, _: AccessKey) -> web.Response:
    name, digest = parameters["repositoryName"], parameters["layerDigest"]
    if not _DIGEST.fullmatch(digest):
        raise ValueError(f"at 'layerDigest': {digest}")
    async with cloud.session.head(f"{REGISTRY_URL}/v2/{host.prefix}/{name}/blobs/{digest}") as blob:
        if not blob.ok:
            message = f"The layer {digest} does not exist in the repository with name '{name}'"
            return answers.json_error(400, "LayersNotFoundException", message)
    url = cloud.signer.location(Layer.of(host, name, digest), host.region, cloud.behaviour.of(host.region))
    return answers.json_1_1({"downloadUrl": url, "layerDigest": digest})


_OPERATIONS: dict[str, _Operation] = {
    "DescribeRepositories": _repositories,
    "DescribeImages": _images,
    "BatchGetImage": _manifests,
    "GetDownloadUrlForLayer": _layer,
}


def _unknown(host: RegistryHost, name: str) -> web.Response:
    message = f"The repository with name '{name}' does not exist in the registry with id '{host.account}'"
    return answers.json_error(400, "RepositoryNotFoundException", message)


def _details(cloud: Cloud, image: ImageId) -> dict[str, object]:
    found = cloud.pushed_images.details(image.host, image.repository, image.digest)
    pulled_at = cloud.lifecycle.last_pull(image)
    return found | ({"lastRecordedPullTime": pulled_at.timestamp()} if pulled_at else {})


def _ids(parameters: Parameters) -> Sequence[dict[str, str]]:
    ids: Sequence[dict[str, str]] = parameters["imageIds"]
    if not 0 < len(ids) <= _MOST_IDS:
        raise ValueError(f"at 'imageIds' failed to satisfy constraint: 1 to {_MOST_IDS}")
    return ids


def _page(names: list[str], parameters: Parameters, region: str) -> tuple[list[str], dict[str, str]]:
    """The names of a page, and the token of the next one."""
    size = int(parameters.get("maxResults", _USUAL))
    if not 0 < size <= _LARGEST:
        raise ValueError(f"at 'maxResults' failed to satisfy constraint: 1 to {_LARGEST}")
    after = pages.position(parameters["nextToken"], region) if "nextToken" in parameters else ""
    left = [name for name in names if name > after]
    return left[:size], {"nextToken": pages.cursor(left[size - 1], region)} if len(left) > size else {}
