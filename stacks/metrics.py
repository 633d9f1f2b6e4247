"""The metrics that alarms and dashboard look at, each named once. A test holds them against what the handler emits."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from lambda_fn.settings import Settings

NAMESPACE = "EcrFrontdoor"
SERVICE = "ecr-frontdoor"
FIVE_MINUTES = cdk.Duration.minutes(5)


class Metrics:
    """Metrics of one installation: the refresher's own, and those of its function and its failures queue."""

    def __init__(self, settings: Settings, *, function: lambda_.IFunction, dead_letter_queue: sqs.IQueue) -> None:
        self._dimensions = {
            "Domain": settings.domain,
            "Cluster": settings.cluster.name,
            "Namespace": settings.cluster.namespace,
            "service": SERVICE,
        }
        self._of_function = {"FunctionName": function.function_name}
        self._of_queue = {"QueueName": dead_letter_queue.queue_name}

    def own(
        self, name: str, statistic: str, *, label: str | None = None, period: cdk.Duration = FIVE_MINUTES
    ) -> cloudwatch.Metric:
        """What the handler emits, in embedded metric format."""
        return _metric(NAMESPACE, name, statistic, self._dimensions, label, period)

    def function(self, name: str, statistic: str, *, label: str | None = None) -> cloudwatch.Metric:
        """What Lambda counts: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html ."""
        return _metric("AWS/Lambda", name, statistic, self._of_function, label, FIVE_MINUTES)

    def queue(self, name: str, statistic: str, *, label: str | None = None) -> cloudwatch.Metric:
        """What SQS counts of the failures queue."""
        return _metric("AWS/SQS", name, statistic, self._of_queue, label, FIVE_MINUTES)


def _metric(
    namespace: str, name: str, statistic: str, dimensions: Mapping[str, str], label: str | None, period: cdk.Duration
) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map=dimensions,
        statistic=statistic,
        period=period,
        label=label,
    )
