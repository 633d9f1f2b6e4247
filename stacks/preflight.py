"""What a combination of settings lacks to work, reported before anything is deployed. Pure."""

from collections.abc import Iterator

from k8s_manifests.exposures import Exposure, exposure_of
from k8s_manifests.rollout import longest_rollout_seconds
from lambda_fn.contract.errors import SettingsError
from lambda_fn.contract.registries import ECR_HOST
from lambda_fn.settings.models import Settings


def reject_incompatible_settings(settings: Settings) -> None:
    """Refuse settings that are right one by one and could not work together.

    Raises:
        SettingsError: Names all that is missing, one a line.
    """
    exposure = exposure_of(settings)
    found = [
        *_missing_vpc_settings(settings, exposure),
        *_short_rollout_timeout(settings, exposure),
        *(_unreachable_without_nat(settings, exposure) if not settings.cluster.nat else ()),
    ]
    if found:
        raise SettingsError("the settings cannot work together:\n" + "\n".join(f"  {line}" for line in found))


def _missing_vpc_settings(settings: Settings, exposure: Exposure) -> Iterator[str]:
    """What stands in a VPC needs to know it."""
    cluster, endpoints = settings.cluster, settings.endpoints
    if not cluster.public_endpoint and not cluster.subnet_ids:
        yield (
            "cluster.public_endpoint = false: the Lambda has to stand in the VPC, "
            "set cluster.vpc_id, subnet_ids and security_group_id"
        )
    if settings.canary and not cluster.subnet_ids:
        yield (
            "canary: from outside of the VPC the Lambda does not reach the domain, "
            "set cluster.vpc_id, subnet_ids and security_group_id"
        )
    if exposure.has_load_balancer and not cluster.vpc_id:
        yield f'proxy.exposure.kind = "{exposure.kind}": set cluster.vpc_id and security_group_id'
    if endpoints.create and not cluster.vpc_id:
        yield "endpoints.create: set cluster.vpc_id and security_group_id"
    if set(endpoints.create) - {"s3"} and not (endpoints.subnet_ids or cluster.subnet_ids):
        yield "endpoints.create: set endpoints.subnet_ids, or cluster.subnet_ids"
    if cluster.vpc_id and not (cluster.subnet_ids or exposure.has_load_balancer or endpoints.create):
        yield "cluster.vpc_id is for the Lambda, and nothing stands there: set cluster.subnet_ids too, or leave it out"


def _short_rollout_timeout(settings: Settings, exposure: Exposure) -> Iterator[str]:
    """A rollout time-out that is too short fails the deployment."""
    allowed, replicas = settings.refresh.rollout_timeout_seconds, settings.proxy.replicas
    needed = longest_rollout_seconds(replicas, registration_seconds=exposure.registration_seconds)
    if allowed < needed:
        yield (
            f"refresh.rollout_timeout_seconds = {allowed}: behind the load balancer of proxy.exposure.kind = "
            f'"{exposure.kind}" {replicas} pods may take {needed} s, set {needed} or more'
        )


def _unreachable_without_nat(settings: Settings, exposure: Exposure) -> Iterator[str]:
    """Without NAT only VPC endpoints lead out, and only to AWS in their own region."""
    region = settings.cluster.region
    there = {*settings.endpoints.create, *settings.endpoints.existing}
    for endpoint, purpose in _needed_endpoints(settings, exposure).items():
        if endpoint not in there:
            yield f"cluster.nat = false: endpoints lacks {endpoint!r}, {purpose}"
    for number, registry in enumerate(settings.registries):
        if registry.region != region:
            yield f"cluster.nat = false: no endpoint in {region} leads to registries[{number}] in {registry.region}"
    image = ECR_HOST.match(settings.proxy.image)
    if not image or image["region"] != region:
        yield f"cluster.nat = false: proxy.image = {settings.proxy.image} has to be copied to an ECR in {region}"


def _needed_endpoints(settings: Settings, exposure: Exposure) -> dict[str, str]:
    """The endpoints without which something fails, each with its purpose."""
    needed = {"ecr.dkr": "by which the proxy and the nodes speak to ECR", "s3": "where ECR keeps its layers"}
    needed |= exposure.vpc_endpoints
    if not settings.cluster.subnet_ids:
        return needed
    needed["ecr.api"] = "from which the Lambda fetches the token"
    if not settings.cluster.endpoint:
        needed["eks"] = "which the Lambda asks for the cluster's address (or set cluster.endpoint)"
    if settings.manifests != "external":
        needed |= {"lambda": "by which CDK calls kubectl", "eks": "which kubectl asks for the cluster's address"}
    return needed
