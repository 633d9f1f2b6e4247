"""CloudWatch metrics of one installation, as alarms and dashboard read them."""

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from lambda_fn.contract.metrics import NAMESPACE, Metric

FIVE_MINUTES = cdk.Duration.minutes(5)


class Metrics:
    """The metrics that the Lambda emits, and those that AWS keeps of its function and its dead-letter queue."""

    def __init__(
        self, *, dimensions: Mapping[str, str], function: lambda_.IFunction, dead_letter_queue: sqs.IQueue
    ) -> None:
        self._dimensions = dimensions
        self._of_function = {"FunctionName": function.function_name}
        self._failures = QueueMetrics(dead_letter_queue)

    def emitted(
        self, emitted: Metric[Any], statistic: str, *, label: str | None = None, period: cdk.Duration = FIVE_MINUTES
    ) -> cloudwatch.Metric:
        """A metric that the Lambda's code emits, in embedded metric format."""
        return _metric(NAMESPACE, emitted.name, statistic, self._dimensions, label, period)

    def function(self, name: str, statistic: str, *, label: str | None = None) -> cloudwatch.Metric:
        """A metric of the function: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html ."""
        return _metric("AWS/Lambda", name, statistic, self._of_function, label, FIVE_MINUTES)

    def queue(self, name: str, statistic: str, *, label: str | None = None) -> cloudwatch.Metric:
        """A metric that SQS keeps of the dead-letter queue."""
        return self._failures.metric(name, statistic, label=label)


class QueueMetrics:
    """The metrics that SQS keeps of a queue.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    """

    def __init__(self, queue: sqs.IQueue) -> None:
        self._dimensions = {"QueueName": queue.queue_name}

    def metric(self, name: str, statistic: str, *, label: str | None = None) -> cloudwatch.Metric:
        """One of them."""
        return _metric("AWS/SQS", name, statistic, self._dimensions, label, FIVE_MINUTES)


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
