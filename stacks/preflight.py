"""Settings that are valid one by one but cannot work together, found before anything is deployed. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from k8s_manifests.exposures import Exposure, exposure_of
from k8s_manifests.rollout import longest_rollout_seconds
from lambda_fn.contract import secret
from lambda_fn.contract.errors import SettingsError
from lambda_fn.contract.registries import ECR_HOST
from lambda_fn.settings.cluster import Cluster
from lambda_fn.settings.endpoints import Endpoints
from lambda_fn.settings.models import Settings
from lambda_fn.settings.registry import Registry, with_replicas

_LAMBDA_IN_VPC = "set cluster.vpc_id, cluster.subnet_ids and cluster.security_group_id"
_VPC = "set cluster.vpc_id and cluster.security_group_id"
_NAT = "give the subnets of the pods NAT and remove cluster.nat"


@dataclass(frozen=True)
class Conflict:
    """A setting that cannot work with the others.

    Attributes:
        setting: Its key, with its value where the value matters.
        cause: Why it cannot work.
        fix: The settings to change.
    """

    setting: str
    cause: str
    fix: str

    def __str__(self) -> str:
        """The line in the error message."""
        return f"{self.setting}: {self.cause}. Fix: {self.fix}"


def reject_incompatible_settings(settings: Settings) -> None:
    """Stop before anything is deployed if settings conflict.

    Raises:
        SettingsError: Lists every conflict, one a line.
    """
    if found := conflicts(settings):
        raise SettingsError("the settings conflict:\n" + "\n".join(f"  {conflict}" for conflict in found))


def conflicts(settings: Settings) -> list[Conflict]:
    """Every conflict between the settings."""
    exposure, cluster, endpoints = exposure_of(settings), settings.cluster, settings.endpoints
    found = [
        *_lambda_outside_vpc(cluster, has_canary=settings.canary is not None),
        *_missing_vpc(cluster, endpoints, exposure),
        *_short_rollout_timeout(settings.refresh.rollout_timeout_seconds, settings.proxy.replicas, exposure),
    ]
    found += _cache_rules(cluster.region, settings.registries)
    found += _too_many_tokens(settings.registries)
    if not cluster.nat:
        found += _imports_without_nat(settings.registries)
        needed = needed_endpoints(cluster, exposure.vpc_endpoints, uses_kubectl=settings.manifests != "external")
        found += _missing_endpoints(needed, endpoints)
        found += _other_regions(cluster.region, settings.registries, settings.proxy.image)
    return found


def _lambda_outside_vpc(cluster: Cluster, *, has_canary: bool) -> Iterator[Conflict]:
    if cluster.subnet_ids:
        return
    if not cluster.public_endpoint:
        yield Conflict(
            "cluster.public_endpoint = false",
            "the Lambda reaches the Kubernetes API only from inside the VPC",
            _LAMBDA_IN_VPC,
        )
    if has_canary:
        yield Conflict("canary", "the Lambda reaches the domain only from inside the VPC", _LAMBDA_IN_VPC)


def _missing_vpc(cluster: Cluster, endpoints: Endpoints, exposure: Exposure) -> Iterator[Conflict]:
    if exposure.has_load_balancer and not cluster.vpc_id:
        yield Conflict(f'proxy.exposure.kind = "{exposure.kind}"', "the VPC of the load balancer is not set", _VPC)
    if endpoints.create and not cluster.vpc_id:
        yield Conflict("endpoints.create", "the VPC of the endpoints is not set", _VPC)
    if set(endpoints.create) - {"s3"} and not (endpoints.subnet_ids or cluster.subnet_ids):
        yield Conflict(
            "endpoints.create",
            "the subnets of the endpoints are not set",
            "set endpoints.subnet_ids or cluster.subnet_ids",
        )
    if cluster.vpc_id and not (cluster.subnet_ids or exposure.has_load_balancer or endpoints.create):
        yield Conflict(
            "cluster.vpc_id",
            "the stack creates nothing in the VPC",
            "set cluster.subnet_ids to run the Lambda there, or remove cluster.vpc_id",
        )


def _short_rollout_timeout(allowed: int, replicas: int, exposure: Exposure) -> Iterator[Conflict]:
    """A rollout time-out that is too short fails the deployment."""
    needed = longest_rollout_seconds(replicas, registration_seconds=exposure.registration_seconds)
    if allowed < needed:
        yield Conflict(
            f"refresh.rollout_timeout_seconds = {allowed}",
            f'a rollout of {replicas} pods with proxy.exposure.kind = "{exposure.kind}" may take {needed} s',
            f"set refresh.rollout_timeout_seconds to {needed} or more",
        )


def _cache_rules(region: str, registries: Iterable[Registry]) -> Iterator[Conflict]:
    """CloudFormation creates a rule in the stack's region, and ECR reads a secret of the rule's account and region.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache-creating-rule.html
    """
    for number, registry in enumerate(registries):
        if registry.cache_rule and registry.region != region:
            yield Conflict(
                f"registries[{number}].cache_rule = true",
                f"the rule belongs to {registry.region}, and the stack to cluster.region = {region}",
                "create the rule there, and remove cache_rule",
            )
        arn = registry.upstream_credential
        if arn and arn.split(":")[3:5] != [registry.region, registry.account]:
            yield Conflict(
                f"registries[{number}].upstream_credential = {arn}",
                f"ECR reads a secret only where the rule is, in {registry.account} and {registry.region}",
                "name a secret there",
            )


def _too_many_tokens(registries: Iterable[Registry]) -> Iterator[Conflict]:
    """One Secret has the tokens of all registries and replicas."""
    hosts = {each.host for each in with_replicas(registries)}
    size, limit = secret.longest_bytes(hosts), secret.LIMIT_BYTES
    if size > limit:
        yield Conflict(
            "registries",
            f"tokens of {len(hosts)} ECR hosts, replicas among them, of up to {secret.TOKEN_BYTES:,} bytes each may "
            f"take {size:,} bytes in the pull secret, and Kubernetes allows {limit:,}",
            f"name at most {len(hosts) * limit // size} hosts, and give the others a front door of their own",
        )


def _imports_without_nat(registries: Iterable[Registry]) -> Iterator[Conflict]:
    """Of an image that ECR is importing, the pull needs the internet.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html#ecr-vpc-endpoint-considerations
    """
    for number, registry in enumerate(registries):
        if registry.pull_through:
            yield Conflict(
                "cluster.nat = false",
                f"the first pull of an image of registries[{number}], with pull_through, needs a way to the internet",
                f"{_NAT}, or remove registries[{number}]",
            )


def _missing_endpoints(needed: dict[str, str], endpoints: Endpoints) -> Iterator[Conflict]:
    """Without NAT, pods and the Lambda reach AWS only through VPC endpoints."""
    for endpoint, purpose in needed.items():
        if endpoint not in {*endpoints.create, *endpoints.existing}:
            yield Conflict(
                "cluster.nat = false",
                f"there is no VPC endpoint {endpoint}, {purpose}",
                f'add "{endpoint}" to endpoints.create, or to endpoints.existing if the VPC has it',
            )


def _other_regions(region: str, registries: Iterable[Registry], image: str) -> Iterator[Conflict]:
    """VPC endpoints lead only to AWS in their own region."""
    for number, registry in enumerate(registries):
        if registry.region != region:
            yield Conflict(
                "cluster.nat = false",
                f"no VPC endpoint in {region} leads to registries[{number}].region = {registry.region}",
                f"{_NAT}, replicate its repositories to {region}, or remove registries[{number}]",
            )
        for replica in registry.replicas:
            if replica.region != region:
                yield Conflict(
                    "cluster.nat = false",
                    f"no VPC endpoint in {region} leads to registries[{number}].replicas[0].region = {replica.region}",
                    f"{_NAT}, or remove the replica",
                )
    host = ECR_HOST.match(image)
    if not host or host["region"] != region:
        yield Conflict(
            "cluster.nat = false",
            f"the nodes cannot pull proxy.image = {image}",
            f"copy the image to an ECR in {region}, and set proxy.image to the copy",
        )


def needed_endpoints(cluster: Cluster, of_exposure: Mapping[str, str], *, uses_kubectl: bool) -> dict[str, str]:
    """The endpoints that the installation needs in a VPC without NAT, each with its purpose.

    Args:
        cluster: Where the Lambda runs.
        of_exposure: Those that the exposure needs.
        uses_kubectl: Whether the stack applies the charts.
    """
    needed = {"ecr.dkr": "through which the proxy and the nodes pull", "s3": "from which they download layers"}
    needed |= of_exposure
    if not cluster.subnet_ids:
        return needed
    needed["ecr.api"] = "from which the Lambda fetches the token"
    if uses_kubectl:
        needed |= {"eks": "from which kubectl reads the cluster's address", "lambda": "through which CDK runs kubectl"}
    elif not cluster.endpoint:
        needed["eks"] = "from which the Lambda reads the cluster's address (or set cluster.endpoint)"
    return needed
