"""The stack: one for each namespace of each cluster."""

import os
from collections.abc import Sequence
from datetime import timedelta

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct, IDependable

from k8s_manifests.exposures import UNKNOWN, exposure_of
from lambda_fn.contract.metrics import dimensions
from lambda_fn.contract.registries import partition_of
from lambda_fn.settings.exposure import NlbExposure
from lambda_fn.settings.models import Settings
from stacks.access import GroupAccess
from stacks.alarms import Alarms
from stacks.applied_objects import applied_documents, workload_digest
from stacks.cache_rules import CacheRules
from stacks.deletion_protection import DeletionProtection
from stacks.deployment import first_run
from stacks.encryption import Encryption
from stacks.endpoints import VpcEndpoints
from stacks.load_balancer import LoadBalancer
from stacks.metrics import Metrics, QueueMetrics
from stacks.monitoring import monitoring
from stacks.monitors import catalogue_monitors, monitors, watcher_monitors
from stacks.network import Network
from stacks.preflight import reject_incompatible_settings
from stacks.refresh import Refresh, refresh
from stacks.schedule import Schedule
from stacks.stack_name import stack_name
from stacks.synth_hints import synth_hints
from stacks.watcher import Watcher


class FrontdoorStack(cdk.Stack):
    """Composes the constructs, and gives each the values it needs from the settings and from other constructs.

    The account is the one that the CDK command line found, if any: synthesis needs no credentials.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        deployment = settings.deployment
        super().__init__(
            scope,
            construct_id,
            stack_name=stack_name(settings),
            description=f"Pull-only registry at {settings.domain}, in front of ECR",
            env=cdk.Environment(account=os.environ.get("CDK_DEFAULT_ACCOUNT"), region=settings.cluster.region),
            tags=deployment.tags,
            permissions_boundary=_permissions_boundary(deployment.permissions_boundary),
            # None leaves it to CDK, which knows an account's qualifier from its context, too.
            synthesizer=cdk.DefaultStackSynthesizer(qualifier=deployment.bootstrap_qualifier)
            if deployment.bootstrap_qualifier
            else None,
        )
        reject_incompatible_settings(settings)
        for hint in synth_hints(settings):
            cdk.Annotations.of(self).add_info(hint)
        key = Encryption(self, "Encryption").key if settings.encryption == "stack" else None
        CacheRules(self, "CacheRules", registries=settings.registries)
        network = Network(self, "Network", cluster=settings.cluster) if settings.cluster.subnet_ids else None
        balancer = self._load_balancer(settings)
        # Without the target groups: their ARNs are unknown at synthesis, and equal settings must give an equal digest.
        digest = workload_digest(applied_documents(settings))
        refreshes = refresh(self, settings, workload_digest=digest, network=network, key=key)
        prerequisites = self._prerequisites(settings, refreshes.role, network)
        watcher: Watcher | None = None
        if settings.has_watcher:
            watcher = Watcher(self, "Watcher", settings=settings, network=network, after=prerequisites, key=key)
        alarms = self._alarms(settings, refreshes, watcher, key)
        objects = applied_documents(settings, target_groups=balancer.target_groups if balancer else UNKNOWN)
        run = first_run(
            self, settings, objects, refreshes, network=network, balancer=balancer, after=prerequisites, key=key
        )
        # The canary pulls through the load balancer.
        reached_by = [balancer.listener] if balancer else []
        _order(refreshes.schedule, alarms, after=[run, *reached_by] if run else prerequisites, has_run=run is not None)
        if balancer and balancer.protected:
            DeletionProtection(
                self,
                "DeletionProtection",
                balancer_arn=balancer.arn,
                after=[balancer.listener, *([run] if run else [])],
                log_retention_days=settings.refresh.log_retention_days,
                key=key,
            )
        self._outputs(refreshes.function, watcher.function if watcher else None)

    def _load_balancer(self, settings: Settings) -> LoadBalancer | None:
        """The load balancer, with an exposure that has one."""
        table, controller = settings.proxy.exposure, exposure_of(settings).controller
        if not isinstance(table, NlbExposure) or not controller:
            return None
        return LoadBalancer(
            self,
            "LoadBalancer",
            domain=settings.domain,
            cluster=settings.cluster,
            exposure=table,
            manifests=settings.manifests,
            client_cidrs=settings.proxy.client_cidrs,
            pod_port=exposure_of(settings).listening_port,
            drain_seconds=settings.proxy.drain_seconds,
            target_group_tags=controller.target_group_tags(settings.cluster.name),
        )

    def _alarms(self, settings: Settings, refreshes: Refresh, watcher: Watcher | None, key: kms.IKey | None) -> Alarms:
        cluster = settings.cluster
        metrics = Metrics(
            dimensions=dimensions(domain=settings.domain, cluster=cluster.name, namespace=cluster.namespace),
            function=refreshes.function,
            dead_letter_queue=refreshes.dead_letter_queue,
        )
        monitored = monitors(
            metrics,
            refresh=settings.refresh.schedule,
            canary=settings.canary.schedule if settings.canary else None,
            run_timeout=timedelta(seconds=refreshes.timeout.to_seconds()),
            replicas=settings.proxy.replicas,
            partition=partition_of(cluster.region).name,
        )
        if watcher:
            events, deletions = watcher.events, watcher.deletions
            monitored += watcher_monitors(
                waiting=QueueMetrics(events.queue),
                deletions=QueueMetrics(deletions.queue) if deletions else None,
                failed=QueueMetrics(events.failures),
            )
            monitored += catalogue_monitors(metrics) if settings.page.catalogue else []
        return monitoring(self, monitored, title=settings.domain, settings=settings.alarms, key=key)

    def _prerequisites(self, settings: Settings, role: iam.IRole, network: Network | None) -> list[IDependable]:
        """What must exist before the Lambda can reach AWS and the cluster."""
        cluster = settings.cluster
        access = GroupAccess(self, "Access", cluster_name=cluster.name, role=role, group=settings.refresher_group)
        prerequisites: list[IDependable] = [access, *([network.into_cluster] if network else [])]
        if settings.endpoints.create:
            endpoints = VpcEndpoints(
                self,
                "Endpoints",
                cluster=cluster,
                endpoints=settings.endpoints,
                lambda_security_group_id=network.security_group.security_group_id if network else None,
                answers_cloudformation=settings.manifests != "external",
                imports=any(registry.pull_through for registry in settings.registries),
            )
            prerequisites.append(endpoints)
        return prerequisites

    def _outputs(self, function: lambda_.IFunction, watcher: lambda_.IFunction | None) -> None:
        command = (
            f"aws lambda invoke --region {self.region} --function-name {function.function_name}"
            " --cli-read-timeout 900 --cli-binary-format raw-in-base64-out --payload '{\"dry_run\": true}' /dev/stdout"
        )
        cdk.CfnOutput(
            self, "FunctionName", value=function.function_name, description="The Lambda that refreshes the ECR token"
        )
        cdk.CfnOutput(
            self,
            "TestInvoke",
            value=command,
            description="Command for a dry run: it changes nothing and reports what a refresh would change",
        )
        if watcher:
            name = watcher.function_name
            cdk.CfnOutput(self, "WatcherName", value=name, description="The Lambda that follows the images in ECR")


def _permissions_boundary(policy: str | None) -> cdk.PermissionsBoundary | None:
    if not policy:
        return None
    by = cdk.PermissionsBoundary.from_arn if policy.startswith("arn:") else cdk.PermissionsBoundary.from_name
    return by(policy)


def _order(schedule: Schedule, alarms: Alarms, *, after: Sequence[IDependable], has_run: bool) -> None:
    """A schedule may start a run as soon as it exists: before the first run it would fail or run beside it."""
    for later in (schedule, *(alarms.raised_without_data if has_run else ())):
        later.node.add_dependency(*after)
