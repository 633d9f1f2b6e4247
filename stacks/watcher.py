"""The watcher: the Lambda that follows the images in ECR, with its queues, role, log and access to the cluster."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct, IDependable

from lambda_fn.contract.ecr_events import Action
from lambda_fn.contract.runtime import DELETIONS_QUEUE, WATCHER_HANDLER
from lambda_fn.settings.models import Settings
from lambda_fn.settings.parse import to_json
from lambda_fn.settings.registry import Registry
from stacks.access import GroupAccess
from stacks.catalogue_rounds import CatalogueRounds
from stacks.function import function
from stacks.image_events import ImageEvents, encrypt_events
from stacks.logs import log_group
from stacks.network import Network
from stacks.watcher_identity import WatcherIdentity

_TIMEOUT = cdk.Duration.seconds(90)
_VISIBILITY, _VISIBILITY_OF_DELETIONS = cdk.Duration.seconds(180), cdk.Duration.seconds(120)
"""Until a message that failed comes again: longer than a run with its window."""
_WINDOW, _WINDOW_OF_DELETIONS = cdk.Duration.seconds(10), cdk.Duration.seconds(5)
"""How long Lambda collects messages. A pod sees a changed ConfigMap within 90 s, by the kubelet's defaults: two minutes
leave 30 s for this, the run and ECR.
"""
_BATCH_SIZE = 100
"""Each message may be a request to ECR, of about 30 ms."""
_MOST_AT_ONCE = 2
"""Of each queue. The smallest number that Lambda takes."""


class Watcher(Construct):
    """The function with everything it has of its own.

    Attributes:
        function: The function. Its code and the metadata of its resource hold the settings.
        events: The queue of all events but deletions, with the catalogue of those, too; and that of failed messages.
        deletions: The queue of deletions alone, so that they wait for no push; None where no image is refused.
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
        self.events, self.deletions = self._events(
            settings.registries, deletions=settings.watcher.deletions, catalogue=settings.page.catalogue, key=key
        )
        queues = [events.queue for events in (self.deletions, self.events) if events]
        days = settings.refresh.log_retention_days
        log = log_group(self, "Log", retention_days=days, removal_policy=cdk.RemovalPolicy.DESTROY, key=key)
        role = WatcherIdentity(
            self,
            "Identity",
            registries=settings.registries,
            cluster=cluster,
            log_group=log,
            queues=queues,
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
            environment={DELETIONS_QUEUE: self.deletions.queue.queue_arn} if self.deletions else {},
        )
        access = GroupAccess(self, "Access", cluster_name=cluster.name, role=role, group=settings.watcher_group)
        self._receive("Source", self.events, window=_WINDOW, after=[access, *after])
        if self.deletions:
            self._receive("SourceOfDeletions", self.deletions, window=_WINDOW_OF_DELETIONS, after=[access, *after])
        if settings.page.catalogue:
            CatalogueRounds(
                self,
                "Catalogue",
                function=self.function,
                role=role,
                registries=settings.registries,
                after=[access, *after],
            )

    def _events(
        self, registries: Sequence[Registry], *, deletions: bool, catalogue: bool, key: kms.IKey | None
    ) -> tuple[ImageEvents, ImageEvents | None]:
        events = ImageEvents(
            self,
            "Events",
            registries=registries,
            actions=[action for action in Action if catalogue or action is not Action.DELETE],
            visibility_timeout=_VISIBILITY,
            failures=None,
            key=key,
        )
        if key:
            key.add_to_resource_policy(encrypt_events())
        if not deletions:
            return events, None
        urgent = ImageEvents(
            self,
            "Deletions",
            registries=registries,
            actions=[Action.DELETE],
            visibility_timeout=_VISIBILITY_OF_DELETIONS,
            failures=events.failures,
            key=key,
        )
        # In the update that adds it, there is always a rule for deletions.
        events.rule.add_resource_dependency(urgent.rule)
        return events, urgent

    def _receive(
        self, construct_id: str, events: ImageEvents, *, window: cdk.Duration, after: Sequence[IDependable]
    ) -> None:
        """Lambda polls the queue by itself, so the function's network needs no way to SQS."""
        source = lambda_.CfnEventSourceMapping(
            self,
            construct_id,
            function_name=self.function.function_name,
            event_source_arn=events.queue.queue_arn,
            batch_size=_BATCH_SIZE,
            maximum_batching_window_in_seconds=window.to_seconds(),
            function_response_types=["ReportBatchItemFailures"],
            scaling_config=lambda_.CfnEventSourceMapping.ScalingConfigProperty(maximum_concurrency=_MOST_AT_ONCE),
        )
        source.node.add_dependency(*after)
