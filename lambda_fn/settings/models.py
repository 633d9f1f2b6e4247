"""All tables of `frontdoor.toml` together. Pure.

The docstring under a field is its documentation: `python -m cli.reference` writes it into the JSON Schema and into
docs/configuration.md. CDK, the Lambda and the charts read these models and nothing else.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from lambda_fn.contract.objects import refresher_group, watcher_group
from lambda_fn.settings import consistency
from lambda_fn.settings.alarms import Alarms
from lambda_fn.settings.canary import Canary
from lambda_fn.settings.cluster import Cluster
from lambda_fn.settings.deployment import Deployment
from lambda_fn.settings.endpoints import Endpoints
from lambda_fn.settings.fields import Contact, HostName
from lambda_fn.settings.names import Names
from lambda_fn.settings.page import Page
from lambda_fn.settings.proxy import Proxy
from lambda_fn.settings.refresh import Refresh
from lambda_fn.settings.registry import Registry
from lambda_fn.settings.table import Table
from lambda_fn.settings.watcher import Watcher


class Settings(Table):
    """All of `frontdoor.toml`."""

    domain: HostName
    """The host name of the registry, which clients write before the repository in `docker pull`."""
    contact: Contact | None = None
    """The contact for users whose pull fails: an address, a channel or a URL. The error messages about repositories and
    images, about a push, and about failures end with it. Printable ASCII, at most 200 characters, without quotes,
    backslash, `$` and `{{`.
    """
    cluster: Cluster
    """The EKS cluster, and the network through which the Lambda reaches it."""
    registries: Annotated[tuple[Registry, ...], Field(strict=False, min_length=1)]
    """The private ECR registries behind the domain, usually one."""
    proxy: Proxy
    """The nginx workload and how clients reach it."""
    refresh: Refresh = Refresh()
    """The schedule of the refresh."""
    watcher: Watcher = Watcher()
    """What follows the images in ECR."""
    deployment: Deployment = Deployment()
    """How CloudFormation deploys the stack."""
    endpoints: Endpoints = Endpoints()
    """VPC endpoints, for a VPC without NAT."""
    alarms: Alarms = Alarms()
    """Where alarms are sent."""
    encryption: Literal["aws", "stack"] = "aws"
    """The key that encrypts the logs, the queues and the mail topic: `aws` (keys of the services; a topic is
    not encrypted) or `stack` (a KMS key that the stack creates and does not delete, about 1 USD a month).
    """
    canary: Canary | None = None
    """A pull check of the Lambda through the domain."""
    page: Page = Page()
    """What a browser shows at the domain."""
    names: Names = Names()
    """The names of the objects in the cluster."""
    manifests: Literal["kubectl", "namespaced", "external"] = "kubectl"
    """What applies the charts: `kubectl` (the stack, through CDK's kubectl provider with cluster-admin), `namespaced`
    (the same provider, with rights to only these objects of the namespace; an administrator first applies the output
    of `frontdoor manifests --access`) or `external` (you, from `frontdoor manifests`, by GitOps or by hand).
    Before you change it on a running installation, read docs/operations.md, "Change who applies the charts".
    """
    keep_objects: bool = False
    """Whether the objects stay in the cluster when the stack no longer applies them: after `cdk destroy`, and after a
    change to `manifests = "external"`. Deploy the change of this setting first. The namespace always stays.
    """

    @property
    def refresher_group(self) -> str:
        """The Lambda's Kubernetes group."""
        return self.names.group or refresher_group(self.cluster.namespace)

    @property
    def has_watcher(self) -> bool:
        """Whether anything needs the watcher."""
        return self.watcher.deletions or self.page.catalogue

    @property
    def watcher_group(self) -> str:
        """The watcher's Kubernetes group."""
        return watcher_group(self.cluster.namespace)

    @field_validator("registries")
    @classmethod
    def _each_name_has_one_route(cls, registries: tuple[Registry, ...]) -> tuple[Registry, ...]:
        consistency.reject_contradictions(registries)
        consistency.reject_overlaps(registries)
        consistency.reject_equal_mirrors(registries)
        consistency.reject_ways_around_mirrors(registries)
        return registries

    @model_validator(mode="after")
    def _tables_fit_together(self) -> Self:
        exposure, region = self.proxy.exposure, self.cluster.region
        arns = {"alarms.topic_arn": self.alarms.topic_arn, **exposure.arns}
        mistakes = (
            *consistency.canary(self.canary.repository if self.canary else None, self.registries),
            *consistency.resolver(self.proxy.resolver, endpoint=self.cluster.endpoint),
            *consistency.ipv6(
                {"proxy.resolver": self.proxy.resolver, "cluster.endpoint": self.cluster.endpoint},
                self.proxy.client_cidrs,
                exposure=exposure,
            ),
            *consistency.regions({key: arn for key, arn in arns.items() if arn}, region),
            *consistency.partitions([registry.region for registry in self.registries], self.proxy.image, region),
            *exposure.conflicts(manifests=self.manifests, client_cidrs=self.proxy.client_cidrs),
            *consistency.secrets(exposure.certificate_secret, self.names.secret),
        )
        if mistakes:
            raise ValueError("\n".join(mistakes))
        return self
