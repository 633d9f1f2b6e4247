"""Every value an operator can set: the one place each of them is typed. Pure.

The docstring under a field is its documentation: it reaches the JSON Schema, and `docs/configuration.md` is
tested to cover it. CDK, the Lambda and the charts all read these models and nothing else.
"""

from ipaddress import ip_network
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from lambda_fn.settings.cache import Cache
from lambda_fn.settings.fields import (
    ECR_HOST,
    Account,
    Address,
    Base64,
    ClusterName,
    EcrHost,
    Group,
    HostName,
    HttpsUrl,
    Image,
    ObjectName,
    Quantity,
    Region,
    RepositoryPattern,
    SecurityGroupId,
    SubnetId,
    VpcId,
)
from lambda_fn.settings.model import Model

TOKEN_USABLE_MINUTES = 11 * 60
"""How long a token is counted on. ECR promises 12 h, but tokens have been seen to die after 11 h 37 min."""


class Cluster(Model):
    """The EKS cluster the proxy runs in."""

    name: ClusterName
    """The cluster's name in EKS."""
    region: Region
    """The region of the cluster, the Lambda and the stack."""
    namespace: ObjectName = "registry"
    """The Kubernetes namespace that holds everything of ecr-frontdoor. Its own, since it enforces Pod Security
    `restricted`.
    """
    vpc_id: VpcId | None = None
    """The cluster's VPC. Together with `subnet_ids` and `security_group_id`: the Lambda then runs inside the VPC and
    reaches a private endpoint. Without the three it runs outside and needs the public endpoint.
    """
    subnet_ids: Annotated[tuple[SubnetId, ...], Field(strict=False)] = ()
    """Private subnets for the Lambda, with a route to the ECR, STS and EKS APIs (NAT or VPC endpoints)."""
    security_group_id: SecurityGroupId | None = None
    """The cluster security group; it gets one rule that lets the Lambda reach the Kubernetes API on 443."""
    endpoint: HttpsUrl | None = None
    """The Kubernetes API's address. By default asked from EKS on every run, so that a replaced cluster is followed; set
    it, with `certificate_authority`, where the Lambda cannot reach the EKS API.
    """
    certificate_authority: Base64 | None = None
    """The Kubernetes API's CA certificate, PEM in base64 as DescribeCluster gives it. Only together with `endpoint`."""

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        network = (self.vpc_id, self.subnet_ids, self.security_group_id)
        if any(network) and not all(network):
            raise ValueError("vpc_id, subnet_ids and security_group_id belong together: set all three or none")
        if len(set(self.subnet_ids)) < len(self.subnet_ids):
            raise ValueError("subnet_ids names a subnet twice: name each once")
        if (self.endpoint is None) != (self.certificate_authority is None):
            raise ValueError("endpoint and certificate_authority belong together: set both or none")
        return self


class Registry(Model):
    """One private ECR behind the domain."""

    account: Account
    """The AWS account whose ECR is served, as a string of 12 digits."""
    region: Region
    """The ECR's region. One token is fetched per region and serves every account the Lambda's role may read."""
    endpoint: EcrHost | None = None
    """The ECR's host name, where it is not the one ECR itself names (dual-stack, FIPS)."""
    repositories: Annotated[tuple[RepositoryPattern, ...], Field(strict=False, min_length=1)] = ("*",)
    """Which repositories anyone may pull. `*` stands for any characters, `/` included, as in IAM, where the same
    patterns limit the Lambda's role. With several registries the first whose pattern matches serves the repository.
    """

    @model_validator(mode="after")
    def _endpoint_is_of_this_registry(self) -> Self:
        found = ECR_HOST.fullmatch(self.endpoint or "")
        if found and (found["account"], found["region"]) != (self.account, self.region):
            raise ValueError(
                f"endpoint {self.endpoint} is of another account or region than {self.account} in {self.region}"
            )
        return self


class Resources(Model):
    """What a proxy pod asks of its node."""

    cpu_request: Quantity = "250m"
    """CPU reserved for a pod. There is no CPU limit: throttling a proxy lengthens every pull and saves nothing."""
    memory_request: Quantity = "256Mi"
    """Memory reserved for a pod."""
    memory_limit: Quantity = "512Mi"
    """Memory at which a pod is killed. nginx streams, so this does not grow with the size of layers."""


class IngressExposure(Model):
    """An Ingress controller of the cluster ends TLS."""

    kind: Literal["ingress"]
    """`ingress`."""
    class_name: ObjectName
    """The IngressClass, such as `alb` or `nginx`."""
    tls_secret: ObjectName | None = None
    """The TLS Secret's name. Leave it out where the controller finds the certificate itself, as the AWS Load Balancer
    Controller does in ACM.
    """
    annotations: dict[str, str] = Field(default_factory=dict)
    """Annotations of the Ingress, for its controller and for cert-manager."""


class PodExposure(Model):
    """nginx itself ends TLS, on the Service's port 443."""

    kind: Literal["pod"]
    """`pod`."""
    tls_secret: ObjectName
    """The TLS Secret's name. A renewed certificate is picked up without a restart."""


class ServiceExposure(Model):
    """A plain Service on port 80: TLS ends in front of it, in something this project does not manage."""

    kind: Literal["service"]
    """`service`."""


Exposure = Annotated[IngressExposure | PodExposure | ServiceExposure, Field(discriminator="kind")]


class Proxy(Model):
    """The nginx workload."""

    exposure: Exposure
    """How clients reach the proxy and where TLS ends: `ingress`, `pod` or `service`."""
    image: Image = "public.ecr.aws/nginx/nginx:1.30.6"
    """nginx 1.27.4 or later with njs at the official image's place. A copy in your own ECR, named by digest, makes the
    proxy independent of public registries: the pods pull with the same `aws-registry` secret.
    """
    replicas: int = Field(default=2, ge=2, le=50)
    """How many proxy pods. At least two, so that losing a node or rolling out never interrupts pulls."""
    resources: Resources = Resources()
    """What each pod asks for."""
    cache: Cache = Cache()
    """What each pod keeps of what it has served."""
    resolver: Address | None = None
    """The DNS server nginx resolves ECR and S3 with. By default the cluster's own, which EKS puts at the tenth address
    of the service range.
    """
    client_cidrs: Annotated[tuple[str, ...], Field(strict=False, min_length=1)] = (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
    )
    """Source ranges the NetworkPolicy lets in. The private ranges by default: an anonymous registry must not face the
    internet.
    """
    drain_seconds: int = Field(default=3600, ge=30, le=21600)
    """How long a stopping pod finishes the pulls it is serving, in seconds. At least the longest pull of your largest
    layer.
    """

    @field_validator("client_cidrs")
    @classmethod
    def _networks(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            try:
                ip_network(value)
            except ValueError as error:
                raise ValueError(f"must be network ranges like 10.0.0.0/8; {value!r} is not one") from error
        return values


class Refresh(Model):
    """When the Lambda runs and how long it waits."""

    period_minutes: int = Field(default=240, ge=15)
    """Minutes between scheduled runs. Two runs (and the window) must fit into the 11 h a token is counted on, so that
    one may fail.
    """
    flexible_window_minutes: int = Field(default=15, ge=0, le=120)
    """EventBridge may start a run this many minutes late, to spread load; 0 turns that off."""
    rollout_timeout_seconds: int = Field(default=300, ge=30, le=780)
    """How long a run waits for new pods before it reports the rollout as stuck. The Lambda's own time-out is two
    minutes more.
    """
    log_retention_days: Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653] = 90
    """How long CloudWatch keeps the Lambda's log, in days: one of the values CloudWatch knows."""

    @property
    def two_runs_minutes(self) -> int:
        """The longest it can take until the second run from now has started, in minutes."""
        return 2 * self.period_minutes + self.flexible_window_minutes

    @model_validator(mode="after")
    def _leaves_spare_refreshes(self) -> Self:
        if self.two_runs_minutes > TOKEN_USABLE_MINUTES:
            raise ValueError(
                f"period_minutes = {self.period_minutes} with flexible_window_minutes = {self.flexible_window_minutes} "
                f"leaves less than two refreshes within the {TOKEN_USABLE_MINUTES} minutes a token can be counted on: "
                "2 x period_minutes + flexible_window_minutes must not exceed that"
            )
        return self


class Names(Model):
    """What the objects in the cluster are called. Change them only to fit an installation that exists."""

    template_config_map: ObjectName = "aws-registry-proxy-tpl"
    """The ConfigMap with the nginx template, written by the chart and open to operators."""
    scripts_config_map: ObjectName = "aws-registry-proxy-scripts"
    """The ConfigMap with the njs module, written by the chart."""
    config_map: ObjectName = "aws-registry-proxy-config"
    """The ConfigMap with the rendered configuration, written by the Lambda."""
    secret: ObjectName = "aws-registry"  # noqa: S105 - the object's name
    """The pull secret, written by the Lambda; the pods' image pull secret and the proxy's credential."""
    workload: ObjectName = "aws-registry-proxy"
    """The Deployment, Service, Ingress, PodDisruptionBudget and NetworkPolicy."""
    group: Group = "ecr-frontdoor:refresher"
    """The Kubernetes group the Lambda's access entry puts it in, and the RoleBinding's subject."""


class Settings(Model):
    """All of `frontdoor.toml`."""

    domain: HostName
    """The public name of the registry: what people write in front of the repository in `docker pull`."""
    cluster: Cluster
    """The EKS cluster and the network the Lambda reaches it by."""
    registries: Annotated[tuple[Registry, ...], Field(strict=False, min_length=1)]
    """The private ECRs behind the domain; one entry is the common case."""
    proxy: Proxy
    """How the workload runs and how it is reached."""
    refresh: Refresh = Refresh()
    """The schedule of the refresh."""
    names: Names = Names()
    """The names of the objects in the cluster."""
    manifests: Literal["kubectl", "external"] = "kubectl"
    """Who applies the charts: `kubectl` (the stack, through CDK's kubectl provider, which gets cluster-admin) or
    `external` (you, from `python -m k8s_manifests`, by GitOps or by hand).
    """

    @field_validator("registries")
    @classmethod
    def _each_registry_serves_something(cls, registries: tuple[Registry, ...]) -> tuple[Registry, ...]:
        taken: dict[str, int] = {}
        places: dict[tuple[str, str], int] = {}
        for number, registry in enumerate(registries):
            place = (registry.account, registry.region)
            if place in places:
                raise ValueError(
                    f"registry {number} repeats registry {places[place]}: {registry.account} in {registry.region}"
                )
            places[place] = number
            for pattern in registry.repositories:
                earlier = taken.get("*", taken.get(pattern))
                if earlier is not None:
                    raise ValueError(
                        f"registry {number} never serves {pattern!r}: registry {earlier} comes first and takes it; "
                        "give each its own patterns, with * in the last one only"
                    )
            taken |= dict.fromkeys(registry.repositories, number)
        return registries

    @model_validator(mode="after")
    def _resolver_can_be_known(self) -> Self:
        if self.cluster.endpoint and not self.proxy.resolver:
            raise ValueError(
                "proxy.resolver is needed with cluster.endpoint: EKS is then not asked, "
                "so the cluster's DNS address is unknown"
            )
        return self
