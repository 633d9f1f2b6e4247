"""The stack: one for each namespace of each cluster."""

import os
from datetime import timedelta

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct, IDependable

from k8s_manifests.exposures import exposure_of
from lambda_fn.contract.metrics import dimensions
from lambda_fn.contract.objects import deployer_group, deployer_role
from lambda_fn.settings.exposure import NlbExposure
from lambda_fn.settings.models import Settings
from lambda_fn.settings.parse import to_environment
from stacks.access import GroupAccess
from stacks.alarms import RUNBOOK, Alarms
from stacks.dashboard import Dashboard
from stacks.dead_letter_queue import DeadLetterQueue
from stacks.encryption import Encryption
from stacks.endpoints import VpcEndpoints
from stacks.first_run import FirstRun
from stacks.identity import Identity
from stacks.load_balancer import LoadBalancer
from stacks.logs import log_group
from stacks.metrics import Metrics
from stacks.monitors import monitors
from stacks.network import Network
from stacks.notifications import Notifications
from stacks.preflight import reject_incompatible_settings
from stacks.refresher import Refresher, environment, run_timeout
from stacks.schedule import Schedule
from stacks.stack_name import stack_name
from stacks.synth_hints import synth_hints
from stacks.workload import Deployer, Documents, Workload, applied_documents, workload_digest


class FrontdoorStack(cdk.Stack):
    """Composes the constructs, and gives each the values it needs from the settings and from other constructs.

    The account is the one that the CDK command line found, if any: synthesis needs no credentials.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(
            scope,
            construct_id,
            stack_name=stack_name(settings.cluster),
            description=f"Pull-only registry at {settings.domain}, in front of ECR",
            env=cdk.Environment(account=os.environ.get("CDK_DEFAULT_ACCOUNT"), region=settings.cluster.region),
        )
        reject_incompatible_settings(settings)
        for hint in synth_hints(
            cluster_region=settings.cluster.region, registries=settings.registries, image=settings.proxy.image
        ):
            cdk.Annotations.of(self).add_info(hint)
        key = Encryption(self, "Encryption").key if settings.encryption == "stack" else None
        dead_letter_queue = DeadLetterQueue(self, "Failures", key=key).queue
        # It remains when the stack is deleted: after a deployment that failed and rolled back it holds the reason.
        log = self._log("Log", settings, cdk.RemovalPolicy.RETAIN, key)
        role = Identity(
            self,
            "Identity",
            registries=settings.registries,
            proxy_image=settings.proxy.image,
            cluster=settings.cluster,
            log_group=log,
            dead_letter_queue=dead_letter_queue,
            key=key,
        ).role
        network = Network(self, "Network", cluster=settings.cluster) if settings.cluster.subnet_ids else None
        balancer = self._load_balancer(settings)
        applied = applied_documents(settings)
        function = Refresher(
            self,
            "Refresher",
            environment=environment(
                to_environment(settings), workload_digest=workload_digest(applied) if applied else None
            ),
            timeout=run_timeout(settings.refresh.rollout_timeout_seconds),
            role=role,
            log_group=log,
            dead_letter_queue=dead_letter_queue,
            network=network,
        ).function
        schedule = Schedule(
            self,
            "Schedule",
            refresh=settings.refresh.schedule,
            canary=settings.canary.schedule if settings.canary else None,
            function=function,
            dead_letter_queue=dead_letter_queue,
            key=key,
        )
        alarms = self._monitoring(settings, function, dead_letter_queue, key)
        prerequisites = self._prerequisites(settings, role, network)
        # A schedule may start a run as soon as it exists: before the first run it would fail or run beside it.
        if applied:
            first_run = self._first_run(
                settings=settings,
                applied=applied,
                function=function,
                network=network,
                balancer=balancer,
                prerequisites=prerequisites,
                key=key,
            )
            for later in (schedule, *alarms.raised_without_data):
                later.node.add_dependency(first_run)
        else:
            schedule.node.add_dependency(*prerequisites)
        self._outputs(function)

    def _log(
        self, construct_id: str, settings: Settings, removal_policy: cdk.RemovalPolicy, key: kms.IKey | None
    ) -> logs.ILogGroup:
        days = settings.refresh.log_retention_days
        return log_group(self, construct_id, retention_days=days, removal_policy=removal_policy, key=key)

    def _load_balancer(self, settings: Settings) -> LoadBalancer | None:
        """The load balancer, with an exposure that has one."""
        if not isinstance(settings.proxy.exposure, NlbExposure):
            return None
        return LoadBalancer(
            self,
            "LoadBalancer",
            domain=settings.domain,
            cluster=settings.cluster,
            exposure=settings.proxy.exposure,
            client_cidrs=settings.proxy.client_cidrs,
            pod_port=exposure_of(settings).listening_port,
            drain_seconds=settings.proxy.drain_seconds,
        )

    def _monitoring(
        self, settings: Settings, function: lambda_.IFunction, dead_letter_queue: sqs.IQueue, key: kms.IKey | None
    ) -> Alarms:
        """The alarms and the dashboard of the runs."""
        metrics = Metrics(
            dimensions=dimensions(
                domain=settings.domain, cluster=settings.cluster.name, namespace=settings.cluster.namespace
            ),
            function=function,
            dead_letter_queue=dead_letter_queue,
        )
        monitored = monitors(
            metrics,
            refresh=settings.refresh.schedule,
            canary=settings.canary.schedule if settings.canary else None,
            run_timeout=timedelta(seconds=run_timeout(settings.refresh.rollout_timeout_seconds).to_seconds()),
            replicas=settings.proxy.replicas,
        )
        alarms = Alarms(
            self,
            "Alarms",
            rules=[rule for monitor in monitored for rule in monitor.alarms],
            actions=Notifications(self, "Notices", alarms=settings.alarms, key=key).actions,
            runbook=settings.alarms.runbook_url or RUNBOOK,
        )
        graphs = [monitor.graph for monitor in monitored]
        Dashboard(self, "Page", title=settings.domain, graphs=graphs, alarms=alarms.all)
        return alarms

    def _prerequisites(self, settings: Settings, role: iam.IRole, network: Network | None) -> list[IDependable]:
        """What must exist before the function can reach AWS and the cluster."""
        prerequisites: list[IDependable] = [
            GroupAccess(self, "Access", cluster_name=settings.cluster.name, role=role, group=settings.refresher_group)
        ]
        if network:
            prerequisites.append(network.into_cluster)
        if settings.endpoints.create:
            prerequisites.append(
                VpcEndpoints(
                    self,
                    "Endpoints",
                    cluster=settings.cluster,
                    endpoints=settings.endpoints,
                    lambda_security_group_id=network.security_group.security_group_id if network else None,
                    answers_cloudformation=settings.manifests != "external",
                )
            )
        return prerequisites

    def _first_run(  # noqa: PLR0913 - properties, each passed by name
        self,
        *,
        settings: Settings,
        applied: Documents,
        function: lambda_.Function,
        network: Network | None,
        balancer: LoadBalancer | None,
        prerequisites: list[IDependable],
        key: kms.IKey | None,
    ) -> FirstRun:
        """The objects in the cluster, and the run that follows them."""
        # Not in the digest: the ARN is unknown at synthesis, and the same settings must give the same digest.
        objects = applied_documents(settings, target_group_arn=balancer.target_group_arn) if balancer else applied
        # One log group for all functions of CDK: otherwise Lambda would create one for each, without retention or key.
        log = self._log("DeploymentLog", settings, cdk.RemovalPolicy.DESTROY, key)
        cluster = settings.cluster
        deployer = Deployer(deployer_group(cluster.namespace), deployer_role(settings.names.workload))
        workload = Workload(
            self,
            "Workload",
            cluster=cluster,
            documents=objects,
            deployer=deployer if settings.manifests == "namespaced" else None,
            keep_objects=settings.keep_objects,
            network=network,
            log_group=log,
        )
        # Pods become ready when the load balancer finds them healthy, so it must exist before them.
        workload.node.add_dependency(*([balancer] if balancer else []), *prerequisites)
        after = [*prerequisites, workload]
        timeout = run_timeout(settings.refresh.rollout_timeout_seconds)
        return FirstRun(self, "FirstRun", function=function, timeout=timeout, after=after, log_group=log)

    def _outputs(self, function: lambda_.IFunction) -> None:
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
