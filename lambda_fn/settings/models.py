"""Every value an operator can set: the one place each of them is typed. Pure.

The docstring under a field is its documentation: it reaches the JSON Schema, and `docs/configuration.md` is
tested to cover it. CDK, the Lambda and the charts all read these models and nothing else.
"""

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from lambda_fn.contract.objects import refresher_group
from lambda_fn.contract.registries import ECR_HOST, partition_of
from lambda_fn.contract.repository_pattern import RepositoryPattern as Pattern
from lambda_fn.settings.alarms import Alarms
from lambda_fn.settings.canary import Canary
from lambda_fn.settings.endpoints import Endpoints
from lambda_fn.settings.exposure import NlbExposure
from lambda_fn.settings.fields import (
    Account,
    Base64,
    ClusterName,
    EcrHost,
    Group,
    HostName,
    HttpsUrl,
    Namespace,
    ObjectName,
    Region,
    RepositoryPattern,
    SecurityGroupId,
    SubnetId,
    VpcId,
)
from lambda_fn.settings.proxy import Proxy
from lambda_fn.settings.schedule import Rate, Schedule
from lambda_fn.settings.table import Table

TOKEN_USABLE = timedelta(hours=11)
"""How long the schedule relies on a token. ECR promises 12 h, but tokens have expired after 11 h 37 min."""


class Cluster(Table):
    """The EKS cluster the proxy runs in."""

    name: ClusterName
    """The cluster's name in EKS."""
    region: Region
    """The region of the cluster, the Lambda and the stack."""
    namespace: Namespace = "registry"
    """The Kubernetes namespace of ecr-frontdoor. Nothing else may use it, because it enforces Pod Security `restricted`
    and the stack deletes it.
    """
    vpc_id: VpcId | None = None
    """The cluster's VPC; set it together with `security_group_id`. With `subnet_ids` too, the Lambda runs inside the
    VPC and reaches a private endpoint; without, it runs outside and needs the public endpoint.
    """
    subnet_ids: Annotated[tuple[SubnetId, ...], Field(strict=False)] = ()
    """Private subnets for the Lambda, with a route to the ECR, STS and EKS APIs (NAT or VPC endpoints)."""
    security_group_id: SecurityGroupId | None = None
    """The cluster security group; it gets one rule that lets the Lambda reach the Kubernetes API on 443."""
    pod_security_group_id: SecurityGroupId | None = None
    """The security group of the pods' network interfaces, if the nodes do not have the cluster security group. The
    stack's load balancer and endpoints allow connections to and from it.
    """
    public_endpoint: bool = True
    """Whether the Kubernetes API has a public endpoint. Set `false` if it is only private; `cdk synth` then requires
    the Lambda in the VPC.
    """
    nat: bool = True
    """Whether the VPC has a route to the internet, such as NAT. Set `false` if it has none; `cdk synth` then lists the
    VPC endpoints that are missing.
    """
    endpoint: HttpsUrl | None = None
    """The address of the Kubernetes API. By default the Lambda gets it from EKS on every run, so a replaced cluster is
    found; set it, with `certificate_authority`, if the Lambda cannot reach the EKS API.
    """
    certificate_authority: Base64 | None = None
    """The CA certificate of the Kubernetes API, PEM in base64 as DescribeCluster returns it. Set it with `endpoint`."""

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if bool(self.vpc_id) != bool(self.security_group_id) or (self.subnet_ids and not self.vpc_id):
            raise ValueError("vpc_id and security_group_id belong together, and subnet_ids needs both")
        if len(set(self.subnet_ids)) < len(self.subnet_ids):
            raise ValueError("subnet_ids names a subnet twice: name each once")
        if (self.endpoint is None) != (self.certificate_authority is None):
            raise ValueError("endpoint and certificate_authority belong together: set both or none")
        return self

    @property
    def security_group_id_of_pods(self) -> str | None:
        """The security group that the pods' network interfaces carry."""
        return self.pod_security_group_id or self.security_group_id


class Registry(Table):
    """One private ECR registry behind the domain."""

    account: Account
    """The AWS account of the ECR registry, as a string of 12 digits."""
    region: Region
    """The region of the ECR registry. The Lambda fetches one token for each region, for all accounts."""
    endpoint: EcrHost | None = None
    """The host name of the ECR registry, if it is not the default one: dual-stack or FIPS."""
    repositories: Annotated[tuple[RepositoryPattern, ...], Field(strict=False, min_length=1)] = ("*",)
    """The repositories that clients may pull. `*` stands for any characters, `/` included, as in IAM, where the same
    patterns limit the Lambda's role. With several registries, the first one with a matching pattern serves it.
    """

    @model_validator(mode="after")
    def _endpoint_is_of_this_registry(self) -> Self:
        found = ECR_HOST.fullmatch(self.endpoint or "")
        if found and (found["account"], found["region"]) != (self.account, self.region):
            raise ValueError(
                f"endpoint {self.endpoint} is of another account or region than {self.account} in {self.region}"
            )
        return self


class Refresh(Table):
    """When the Lambda runs and how long it waits."""

    period_minutes: int = Field(default=240, ge=15)
    """Minutes between two scheduled runs. Two periods and the window must fit into the 11 hours for which a token is
    usable, so that one run may fail.
    """
    flexible_window_minutes: int = Field(default=15, ge=0, le=120)
    """How many minutes late EventBridge may start a run, to spread the load. 0 turns that off."""
    rollout_timeout_seconds: int = Field(default=300, ge=30, le=780)
    """How long a run waits for new pods before it reports the rollout as stuck, in seconds. The timeout of the Lambda
    is two minutes longer.
    """
    log_retention_days: Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653] = 90
    """The retention of the logs of the Lambda and of the deployment's own functions, in days: a value that CloudWatch
    accepts.
    """

    @property
    def schedule(self) -> Schedule:
        """When the refresh runs."""
        return Rate(self.period_minutes, self.flexible_window_minutes)

    @model_validator(mode="after")
    def _leaves_spare_refreshes(self) -> Self:
        if self.schedule.longest_until(2) > TOKEN_USABLE:
            raise ValueError(
                f"period_minutes = {self.period_minutes} with flexible_window_minutes = {self.flexible_window_minutes} "
                "must leave time for two refreshes while a token is usable: 2 x period_minutes + "
                f"flexible_window_minutes must be at most {TOKEN_USABLE // timedelta(minutes=1)}"
            )
        return self


class Names(Table):
    """The names of the objects in the cluster. Change them only to match an existing installation."""

    template_config_map: ObjectName = "aws-registry-proxy-tpl"
    """The ConfigMap with the nginx template, written by the chart; operators may edit it."""
    scripts_config_map: ObjectName = "aws-registry-proxy-scripts"
    """The ConfigMap with the njs module, written by the chart."""
    config_map: ObjectName = "aws-registry-proxy-config"
    """The ConfigMap with the rendered configuration, written by the Lambda."""
    secret: ObjectName = "aws-registry"  # noqa: S105 - the object's name
    """The pull secret, written by the Lambda; the pods' image pull secret and the proxy's credential."""
    workload: ObjectName = "aws-registry-proxy"
    """The Deployment, Service, Ingress, PodDisruptionBudget and NetworkPolicy."""
    group: Group | None = None
    """The Kubernetes group of the Lambda's access entry, and the subject of the RoleBinding. By default
    `ecr-frontdoor:refresher:` and the namespace, because groups are cluster-wide.
    """

    @model_validator(mode="after")
    def _config_maps_are_three(self) -> Self:
        names = (self.template_config_map, self.scripts_config_map, self.config_map)
        if len(set(names)) < len(names):
            raise ValueError(
                "template_config_map, scripts_config_map and config_map must differ: one would overwrite another"
            )
        return self


class Settings(Table):
    """All of `frontdoor.toml`."""

    domain: HostName
    """The host name of the registry, which clients write before the repository in `docker pull`."""
    cluster: Cluster
    """The EKS cluster, and the network through which the Lambda reaches it."""
    registries: Annotated[tuple[Registry, ...], Field(strict=False, min_length=1)]
    """The private ECR registries behind the domain, usually one."""
    proxy: Proxy
    """The nginx workload and how clients reach it."""
    refresh: Refresh = Refresh()
    """The schedule of the refresh."""
    endpoints: Endpoints = Endpoints()
    """VPC endpoints, for a VPC without NAT."""
    alarms: Alarms = Alarms()
    """Where alarms are sent."""
    encryption: Literal["aws", "stack"] = "aws"
    """The key that encrypts the log, the dead-letter queue and the mail topic: `aws` (keys of the services; a topic is
    not encrypted) or `stack` (a KMS key that the stack creates and does not delete, about 1 USD a month).
    """
    canary: Canary | None = None
    """A pull check of the Lambda through the domain."""
    names: Names = Names()
    """The names of the objects in the cluster."""
    manifests: Literal["kubectl", "namespaced", "external"] = "kubectl"
    """What applies the charts: `kubectl` (the stack, through CDK's kubectl provider with cluster-admin), `namespaced`
    (the same provider, with rights to only these objects of the namespace; an administrator first applies the output
    of `python -m k8s_manifests --access`) or `external` (you, from `python -m k8s_manifests`, by GitOps or by hand).
    Before you change it on a running installation, read docs/operations.md, "Change who applies the charts".
    """
    keep_objects: bool = False
    """Whether the objects stay in the cluster when the stack no longer applies them: after `cdk destroy`, and after a
    change to `manifests = "external"`. Deploy the change of this setting first.
    """

    @property
    def refresher_group(self) -> str:
        """The Lambda's Kubernetes group."""
        return self.names.group or refresher_group(self.cluster.namespace)

    @field_validator("registries")
    @classmethod
    def _each_registry_serves_something(cls, registries: tuple[Registry, ...]) -> tuple[Registry, ...]:
        taken: dict[str, int] = {}
        places: dict[tuple[str, str], int] = {}
        for number, registry in enumerate(registries):
            place = (registry.account, registry.region)
            if place in places:
                raise ValueError(
                    f"registries[{number}] repeats registries[{places[place]}], {registry.account} in "
                    f"{registry.region}: give one entry all the repositories"
                )
            places[place] = number
            for pattern in registry.repositories:
                # A * in the later pattern is a character like any other, which only a * of the earlier one matches.
                wider = next((earlier for earlier in taken if Pattern(earlier).matches(pattern)), None)
                if wider is not None:
                    raise ValueError(
                        f"registries[{number}] never serves {pattern!r}: registries[{taken[wider]}] comes first "
                        f"and takes it with {wider!r}; put the registry of the narrower pattern first, and * last"
                    )
            taken |= dict.fromkeys(registry.repositories, number)
        return registries

    @model_validator(mode="after")
    def _canary_may_be_pulled(self) -> Self:
        patterns = [pattern for registry in self.registries for pattern in registry.repositories]
        if self.canary and not any(Pattern(pattern).matches(self.canary.repository) for pattern in patterns):
            raise ValueError(
                f"canary.repository = {self.canary.repository} is not among what anyone may pull: "
                f"choose one that {', '.join(patterns)} allows"
            )
        return self

    @model_validator(mode="after")
    def _resolver_can_be_known(self) -> Self:
        if self.cluster.endpoint and not self.proxy.resolver:
            raise ValueError(
                "proxy.resolver is needed with cluster.endpoint: EKS is then not asked, "
                "so the cluster's DNS address is unknown"
            )
        return self

    @model_validator(mode="after")
    def _topic_is_in_the_clusters_region(self) -> Self:
        topic = self.alarms.topic_arn
        if topic and topic.split(":")[3] != self.cluster.region:
            raise ValueError(
                f"alarms.topic_arn = {topic} is not in cluster.region = {self.cluster.region}: an alarm publishes in "
                "its own region only"
            )
        return self

    @model_validator(mode="after")
    def _load_balancer_fits_the_rest(self) -> Self:
        exposure = self.proxy.exposure
        if not isinstance(exposure, NlbExposure):
            return self
        region = exposure.certificate_arn.split(":")[3] if exposure.certificate_arn else self.cluster.region
        if region != self.cluster.region:
            raise ValueError(
                f"proxy.exposure.certificate_arn is of {region}, and the load balancer of {self.cluster.region} takes "
                "certificates of its own region only"
            )
        group = exposure.target_group_arn
        if group and group.split(":")[3] != self.cluster.region:
            raise ValueError(
                f"proxy.exposure.target_group_arn = {group} is not in cluster.region = {self.cluster.region}, where "
                "the stack makes its own"
            )
        if group and self.manifests != "external":
            raise ValueError(
                'proxy.exposure.target_group_arn is for manifests = "external": leave it out, the stack knows its own'
            )
        return self

    @model_validator(mode="after")
    def _all_is_of_one_partition(self) -> Self:
        region = self.cluster.region
        for key, (value, partition) in self._partitions_by_key().items():
            if partition != partition_of(region).name:
                raise ValueError(
                    f"{key} = {value} is of the partition {partition} and cluster.region = {region} of "
                    f"{partition_of(region).name}: partitions of AWS share neither accounts nor credentials, so give "
                    "each its own deployment"
                )
        return self

    def _partitions_by_key(self) -> dict[str, tuple[str, str]]:
        """Every setting that belongs to a partition, with its value and that partition."""
        image = ECR_HOST.match(self.proxy.image)
        regions = {f"registries[{number}].region": registry.region for number, registry in enumerate(self.registries)}
        arns = {
            "alarms.topic_arn": self.alarms.topic_arn,
            "proxy.exposure.certificate_arn": getattr(self.proxy.exposure, "certificate_arn", None),
            "proxy.exposure.target_group_arn": getattr(self.proxy.exposure, "target_group_arn", None),
        }
        return (
            {key: (value, partition_of(value).name) for key, value in regions.items()}
            | ({"proxy.image": (self.proxy.image, partition_of(image["region"]).name)} if image else {})
            | {key: (arn, arn.split(":")[1]) for key, arn in arns.items() if arn}
        )

    @model_validator(mode="after")
    def _tls_secret_is_not_the_pull_secret(self) -> Self:
        if getattr(self.proxy.exposure, "tls_secret", None) == self.names.secret:
            raise ValueError(
                f"proxy.exposure.tls_secret = {self.names.secret} is names.secret too, and the Lambda would overwrite "
                "the certificate: give one of them another name"
            )
        return self
