"""The stack: one per namespace of one cluster."""

import os
from datetime import timedelta

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct, IDependable

from lambda_fn.contract.metrics import dimensions
from lambda_fn.settings import Settings
from stacks.access import GroupAccess
from stacks.alarms import RUNBOOK, Alarms
from stacks.dashboard import Dashboard
from stacks.dead_letter_queue import DeadLetterQueue
from stacks.deployment_log import deployment_log
from stacks.encryption import Encryption
from stacks.endpoints import VpcEndpoints
from stacks.first_run import FirstRun
from stacks.identity import Identity
from stacks.load_balancer import LoadBalancer, load_balancer
from stacks.metrics import Metrics
from stacks.monitors import monitors
from stacks.network import Network
from stacks.notifications import Notifications
from stacks.preflight import reject_incompatible_settings
from stacks.refresher import Refresher, refresher_log, run_timeout
from stacks.schedule import Schedule
from stacks.stack_name import stack_name
from stacks.synth_hints import synth_hints
from stacks.workload import Documents, Workload, applied_documents, workload_digest


class FrontdoorStack(cdk.Stack):
    """Composes the constructs; what a construct needs of another is visible here and nowhere else.

    The account is the one the CDK command line found, if any: synthesis needs no credentials.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(
            scope,
            construct_id,
            stack_name=stack_name(settings),
            description=f"Pull-only registry at {settings.domain}, in front of ECR",
            env=cdk.Environment(account=os.environ.get("CDK_DEFAULT_ACCOUNT"), region=settings.cluster.region),
        )
        reject_incompatible_settings(settings)
        for hint in synth_hints(settings):
            cdk.Annotations.of(self).add_info(hint)
        key = Encryption(self, "Encryption").key if settings.encryption == "stack" else None
        dead_letter_queue = DeadLetterQueue(self, "Failures", key=key).queue
        log_group = refresher_log(self, "Log", settings=settings, key=key)
        role = Identity(
            self, "Identity", settings=settings, log_group=log_group, dead_letter_queue=dead_letter_queue, key=key
        ).role
        network = Network(self, "Network", cluster=settings.cluster) if settings.cluster.subnet_ids else None
        balancer = load_balancer(self, "LoadBalancer", settings=settings)
        applied = applied_documents(settings)
        function = Refresher(
            self,
            "Refresher",
            settings=settings,
            role=role,
            log_group=log_group,
            dead_letter_queue=dead_letter_queue,
            network=network,
            workload_digest=workload_digest(applied) if applied else None,
        ).function
        schedule = Schedule(
            self, "Schedule", settings=settings, function=function, dead_letter_queue=dead_letter_queue, key=key
        )
        alarms = self._monitoring(settings, function, dead_letter_queue, key)
        prerequisites = self._prerequisites(settings, role, network)
        # Not before: a schedule may run as soon as it is made, and would only fail or meet the first run.
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
            run_timeout=timedelta(seconds=run_timeout(settings).to_seconds()),
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
        """What has to be there before the function can reach AWS and the cluster."""
        prerequisites: list[IDependable] = [
            GroupAccess(self, "Access", settings=settings, role=role, group=settings.refresher_group)
        ]
        if network:
            prerequisites.append(network.into_cluster)
        if settings.endpoints.create:
            prerequisites.append(VpcEndpoints(self, "Endpoints", settings=settings, network=network))
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
        """The objects in the cluster, and then the run that comes with them."""
        # The digest is of what is known now, and the same for the same settings: an ARN is neither.
        objects = applied_documents(settings, target_group_arn=balancer.target_group_arn) if balancer else applied
        log = deployment_log(self, "DeploymentLog", settings=settings, key=key)
        workload = Workload(self, "Workload", settings=settings, documents=objects, network=network, log_group=log)
        # Pods are ready when the load balancer finds them healthy: it has to be there, and kubectl to have its way.
        workload.node.add_dependency(*([balancer] if balancer else []), *prerequisites)
        after = [*prerequisites, workload]
        timeout = run_timeout(settings)
        return FirstRun(self, "FirstRun", function=function, timeout=timeout, after=after, log_group=log)

    def _outputs(self, function: lambda_.IFunction) -> None:
        command = (
            f"aws lambda invoke --region {self.region} --function-name {function.function_name}"
            " --cli-read-timeout 900 --cli-binary-format raw-in-base64-out --payload '{\"dry_run\": true}' /dev/stdout"
        )
        cdk.CfnOutput(self, "FunctionName", value=function.function_name, description="The refresher")
        cdk.CfnOutput(
            self, "TestInvoke", value=command, description="A refresh that changes nothing and says what it would"
        )
