"""The charts, applied by the deployment itself through CDK's kubectl provider (unless `manifests = "external"`)."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_logs as logs
from constructs import Construct

from k8s_manifests import documents, proxy_documents
from lambda_fn.settings import Settings
from stacks.administrator_check import AdministratorCheck
from stacks.kubectl import imported_cluster, kubectl_provider
from stacks.network import Network

Documents = Sequence[Mapping[str, Any]]


def applied_documents(settings: Settings, *, target_group_arn: str | None = None) -> list[dict[str, Any]]:
    """What the deployment applies: everything, what needs no administrator, or nothing."""
    match settings.manifests:
        case "kubectl":
            return documents(settings, target_group_arn=target_group_arn)
        case "namespaced":
            return proxy_documents(settings, target_group_arn=target_group_arn)
        case "external":
            return []


def workload_digest(documents: Documents) -> str:
    """SHA-256 of the objects, the same for the same objects."""
    return hashlib.sha256(json.dumps(documents, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class Workload(Construct):
    """The objects in the cluster, applied on every deployment that changes them. They hold no secret.

    `kubectl apply` on creation too (`overwrite`), so that a namespace that exists is taken over, and no pruning: the
    Secret and the ConfigMap in it are the Lambda's.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        documents: Documents,
        network: Network | None,
        log_group: logs.ILogGroup,
    ) -> None:
        super().__init__(scope, construct_id)
        provider = kubectl_provider(self, settings=settings, network=network, log_group=log_group)
        cluster = imported_cluster(self, "Cluster", settings=settings, network=network, provider=provider)
        manifest = eks.KubernetesManifest(
            self,
            "Manifest",
            cluster=cluster,
            manifest=[dict(d) for d in documents],
            overwrite=True,
            prune=False,
            removal_policy=cdk.RemovalPolicy.RETAIN if settings.keep_objects else cdk.RemovalPolicy.DESTROY,
        )
        # The whole provider: its functions need their policies.
        manifest.node.add_dependency(provider, *([network.into_cluster] if network else []))
        if settings.manifests == "namespaced":
            administrator_check = AdministratorCheck(self, "AdministratorCheck", settings=settings, cluster=cluster)
            administrator_check.node.add_dependency(provider)
            manifest.node.add_dependency(administrator_check)
