"""The watcher: the Lambda that follows the images in ECR, with its queue, role, log and access to the cluster."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct, IDependable

from lambda_fn.contract.runtime import WATCHER_HANDLER
from lambda_fn.settings.models import Settings
from lambda_fn.settings.parse import to_json
from stacks.access import GroupAccess
from stacks.catalogue_rounds import CatalogueRounds
from stacks.function import function
from stacks.image_events import ImageEvents
from stacks.logs import log_group
from stacks.network import Network
from stacks.watcher_identity import WatcherIdentity

_TIMEOUT = cdk.Duration.seconds(90)
_VISIBILITY = cdk.Duration.seconds(180)
"""Until a message that failed comes again: longer than a run, and with its failures still within an hour."""
_WINDOW = cdk.Duration.seconds(10)
"""How long Lambda collects messages. A pod sees a changed ConfigMap within 90 s, by the kubelet's defaults: two minutes
leave no more for this.
"""
_BATCH_SIZE = 100
"""Each message may be a request to ECR, of about 30 ms."""
_MOST_AT_ONCE = 2
"""The smallest number that Lambda takes for a queue."""


class Watcher(Construct):
    """The function with everything it has of its own.

    Attributes:
        function: The function. Its code and the metadata of its resource hold the settings.
        events: The queue of ECR's events, and that of the messages which failed.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        network: Network | None,
        after: Sequence[IDependable],
        key: kms.IKey | None,
    ) -> None:
        """Define it.

        Args:
            scope: The parent.
            construct_id: The id in it.
            settings: All of them, because the bundle holds them.
            network: None where the function runs outside the cluster's VPC.
            after: What must exist before the function can reach AWS and the cluster.
            key: Encrypts the log and the queues; None without a key of the stack.

        Raises:
            BundlingError: The dependencies could not be installed.
        """
        super().__init__(scope, construct_id)
        cluster = settings.cluster
        self.events = ImageEvents(
            self, "Events", registries=settings.registries, visibility_timeout=_VISIBILITY, key=key
        )
        days = settings.refresh.log_retention_days
        log = log_group(self, "Log", retention_days=days, removal_policy=cdk.RemovalPolicy.DESTROY, key=key)
        role = WatcherIdentity(
            self,
            "Identity",
            registries=settings.registries,
            cluster=cluster,
            log_group=log,
            queue=self.events.queue,
            key=key,
            catalogue=settings.page.catalogue,
        ).role
        self.function = function(
            self,
            description="Follows the images in ECR, and writes for the registry proxy which exist and which are gone",
            handler=WATCHER_HANDLER,
            settings=to_json(settings),
            role=role,
            timeout=_TIMEOUT,
            log_group=log,
            network=network,
        )
        access = GroupAccess(self, "Access", cluster_name=cluster.name, role=role, group=settings.watcher_group)
        self._receive_events(after=[access, *after])
        if settings.page.catalogue:
            CatalogueRounds(
                self,
                "Catalogue",
                function=self.function,
                role=role,
                registries=settings.registries,
                after=[access, *after],
            )

    def _receive_events(self, *, after: Sequence[IDependable]) -> None:
        """Lambda polls the queue by itself, so the function's network needs no way to SQS."""
        source = lambda_.CfnEventSourceMapping(
            self,
            "Source",
            function_name=self.function.function_name,
            event_source_arn=self.events.queue.queue_arn,
            batch_size=_BATCH_SIZE,
            maximum_batching_window_in_seconds=_WINDOW.to_seconds(),
            function_response_types=["ReportBatchItemFailures"],
            scaling_config=lambda_.CfnEventSourceMapping.ScalingConfigProperty(maximum_concurrency=_MOST_AT_ONCE),
        )
        source.node.add_dependency(*after)
