"""The alarms: when the token is in danger, and everything that happens on the way there."""

from collections.abc import Sequence
from datetime import timedelta
from math import ceil

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from lambda_fn.settings import Canary, Refresh
from stacks.metrics import Metrics

RUNBOOK = "docs/operations.md"
SPARE_SECONDS = 30
"""A run this close to its time-out is reported: the next one may be ended before it can say what it did."""

_BELOW = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
_AT_LEAST = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
# The state stays as the last run left it: there are hours without a run, and a failure is over when a run succeeds.
_KEEP = cloudwatch.TreatMissingData.IGNORE
_FINE = cloudwatch.TreatMissingData.NOT_BREACHING
_BREACHING = cloudwatch.TreatMissingData.BREACHING


class Alarms(Construct):
    """Each alarm looks at one datapoint: the last few minutes, or all the time in which there must have been a refresh.

    Attributes:
        all: Every alarm.
        of_missing: Those that are raised from the start until something has succeeded: make them after the first run.
    """

    def __init__(  # noqa: PLR0913 - properties, each passed by name
        self,
        scope: Construct,
        construct_id: str,
        *,
        refresh: Refresh,
        canary: Canary | None,
        timeout: cdk.Duration,
        metrics: Metrics,
        actions: Sequence[cloudwatch.IAlarmAction],
        runbook: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._actions, self._runbook = actions, runbook
        self.of_missing = [self._no_refresh(refresh, timeout, metrics)]
        self.all = [*self._runs(refresh, timeout, metrics), *self.of_missing, *self._lost_runs(metrics)]
        if canary:
            failed = self._canary_failed(canary, metrics)
            self.of_missing.append(failed)
            self.all.append(failed)

    def _runs(self, refresh: Refresh, timeout: cdk.Duration, metrics: Metrics) -> list[cloudwatch.Alarm]:
        next_run_seconds = int(refresh.schedule.longest_until(1).total_seconds())
        return [
            self._alarm(
                "RefreshFailed",
                "A refresh failed. Lambda repeats it after one and two minutes; the old token serves on.",
                metrics.own("RefreshSucceeded", "Maximum"),
                (_BELOW, 1),
                _KEEP,
            ),
            self._alarm(
                "TokenRunsOut",
                "The token in the cluster may die before the next run: without a refresh by hand, pulls will fail.",
                metrics.own("TokenSecondsRemaining", "Maximum"),
                (_BELOW, next_run_seconds),
                _KEEP,
            ),
            self._alarm(
                "RolloutStuck",
                "New pods do not become ready. The old ones serve on, with the new token.",
                metrics.own("RolloutsStuck", "Minimum"),
                (_AT_LEAST, 1),
                _KEEP,
            ),
            self._alarm(
                "NoPodReady",
                "After a run no pod of the proxy was ready: nothing can be pulled.",
                metrics.own("PodsReady", "Maximum"),
                (_BELOW, 1),
                _KEEP,
            ),
            self._alarm(
                "RunTooLong",
                f"A run took longer than its time-out less {SPARE_SECONDS} s: the next may be cut off.",
                metrics.function("Duration", "Maximum"),
                (_AT_LEAST, timeout.to_milliseconds() - SPARE_SECONDS * 1000),
                _FINE,
            ),
        ]

    def _no_refresh(self, refresh: Refresh, timeout: cdk.Duration, metrics: Metrics) -> cloudwatch.Alarm:
        """A new token in every stretch of two periods; a rollout that is stuck is another alarm's affair."""
        within = _whole_minutes(refresh.schedule.longest_until(2) + timedelta(seconds=timeout.to_seconds()))
        return self._no_success(
            "NoRefresh",
            "No run is known to have written a new token within two periods. The old one will die: refresh by hand.",
            metrics.own("TokensWritten", "Sum", period=within),
        )

    def _lost_runs(self, metrics: Metrics) -> list[cloudwatch.Alarm]:
        return [
            self._alarm(
                "FailureQueued",
                "A run was given up, and its event and error lie in the failures queue.",
                # SQS stops counting a queue that nobody touches for six hours; the message is still there.
                metrics.queue("ApproximateNumberOfMessagesVisible", "Maximum"),
                (_AT_LEAST, 1),
                _KEEP,
            ),
            self._alarm(
                "EventDropped",
                "Lambda dropped the event of a run: it failed three times, or could not start for an hour.",
                metrics.function("AsyncEventsDropped", "Sum"),
                (_AT_LEAST, 1),
                _FINE,
            ),
        ]

    def _canary_failed(self, canary: Canary, metrics: Metrics) -> cloudwatch.Alarm:
        """No success in three periods: one pull may fail, and a schedule that is gone counts as failures do."""
        within = _whole_minutes(canary.schedule.longest_until(3))
        return self._no_success(
            "CanaryFailed",
            "No pull through the domain has succeeded for three of the canary's periods: clients may fail, too.",
            metrics.own("CanarySuccess", "Sum", period=within),
        )

    def _no_success(self, name: str, means: str, successes: cloudwatch.Metric) -> cloudwatch.Alarm:
        """None in a stretch of the metric's own period.

        `FILL`, because without data CloudWatch looks further back than it was asked to, and would stay silent until the
        last success is several such stretches old; `breaching` all the same, for a metric that never had data.
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
        """
        expression = cloudwatch.MathExpression(
            expression="FILL(successes, 0)", using_metrics={"successes": successes}, period=successes.period
        )
        return self._alarm(name, means, expression, (_BELOW, 1), _BREACHING)

    def _alarm(
        self,
        name: str,
        means: str,
        metric: cloudwatch.IMetric,
        breaching: tuple[cloudwatch.ComparisonOperator, float],
        missing: cloudwatch.TreatMissingData,
    ) -> cloudwatch.Alarm:
        operator, threshold = breaching
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_description=f"{means} Runbook: {self._runbook}#{name.lower()}",
            metric=metric,
            comparison_operator=operator,
            threshold=threshold,
            evaluation_periods=1,
            treat_missing_data=missing,
        )
        if self._actions:
            alarm.add_alarm_action(*self._actions)
            alarm.add_ok_action(*self._actions)
        return alarm


def _whole_minutes(span: timedelta) -> cdk.Duration:
    """The periods of CloudWatch are whole minutes."""
    return cdk.Duration.minutes(ceil(span / timedelta(minutes=1)))
