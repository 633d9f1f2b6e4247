"""The objects in the cluster, applied by the deployment through CDK's kubectl (unless `manifests = "external"`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_logs as logs
from constructs import Construct, IDependable

from lambda_fn.settings.cluster import Cluster
from stacks.administrator_check import AdministratorCheck
from stacks.kubectl import imported_cluster, kubectl_provider
from stacks.network import Network

Documents = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Deployer:
    """The rights of kubectl without an administrator: the group of its access entry, and the Role for that group."""

    group: str
    role_name: str


class Workload(Construct):
    """The objects in the cluster, applied by every deployment that changes them. They hold no secret.

    `kubectl apply` is used for creation as well (`overwrite`), so that the namespace may already exist. Nothing is
    pruned: the Lambda owns the Secret and the ConfigMap in the namespace.

    The Namespace is a resource of its own that CloudFormation never deletes, not even when a first deployment is
    rolled back: the operator's TLS secret is in it, and perhaps the work of others.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
    """

    def __init__(  # noqa: PLR0913 - properties, each passed by name
        self,
        scope: Construct,
        construct_id: str,
        *,
        cluster: Cluster,
        documents: Documents,
        deployer: Deployer | None,
        keep_objects: bool,
        network: Network | None,
        log_group: logs.ILogGroup,
    ) -> None:
        super().__init__(scope, construct_id)
        provider = kubectl_provider(
            self, cluster=cluster, group=deployer.group if deployer else None, network=network, log_group=log_group
        )
        imported = imported_cluster(self, "Cluster", cluster_name=cluster.name, network=network, provider=provider)
        namespaces = [document for document in documents if document["kind"] == "Namespace"]
        others = [document for document in documents if document not in namespaces]
        # A changed logical id would delete, under the old one, what was just applied under the new one. So it does not
        # depend on the cluster and the namespace either, and a change of these leaves the old objects.
        manifest = _applied(self, "Manifest", imported, others, keep=keep_objects)
        # On the whole provider, because its functions need their policies.
        prerequisites: list[IDependable] = [provider, *([network.into_cluster] if network else [])]
        if namespaces:
            namespace = _applied(self, "Namespace", imported, namespaces, keep=True)
            namespace.node.add_dependency(*prerequisites)
            prerequisites.append(namespace)
        manifest.node.add_dependency(*prerequisites)
        if deployer:
            administrator_check = AdministratorCheck(
                self,
                "AdministratorCheck",
                cluster=imported,
                namespace=cluster.namespace,
                role_name=deployer.role_name,
            )
            administrator_check.node.add_dependency(provider)
            manifest.node.add_dependency(administrator_check)


def _applied(
    scope: Construct, construct_id: str, cluster: eks.ICluster, documents: Documents, *, keep: bool
) -> eks.KubernetesManifest:
    """Objects that stay in the cluster after they have left the stack, or that kubectl deletes then."""
    return eks.KubernetesManifest(
        scope,
        construct_id,
        cluster=cluster,
        manifest=[dict(document) for document in documents],
        overwrite=True,
        prune=False,
        removal_policy=cdk.RemovalPolicy.RETAIN if keep else cdk.RemovalPolicy.DESTROY,
    )
