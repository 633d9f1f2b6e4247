"""CloudWatch alarms from their rules, which `stacks/monitors` declares beside the graphs of the same metrics."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

RUNBOOK = "docs/operations.md"

BELOW = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
AT_LEAST = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
KEEP_STATE = cloudwatch.TreatMissingData.IGNORE
"""Without data the state stays as the last run left it: hours pass between runs, and only a good run ends a failure."""
OK_WITHOUT_DATA = cloudwatch.TreatMissingData.NOT_BREACHING
ALARM_WITHOUT_DATA = cloudwatch.TreatMissingData.BREACHING


@dataclass(frozen=True, kw_only=True)
class AlarmRule:
    """One alarm, which looks at one datapoint: the last few minutes, or all the time in which one success is due.

    Attributes:
        name: Of the alarm in the stack; in lower case also the anchor of its section in the runbook.
        description: The cause, what it means for pulls now, and what to do.
        metric: A metric or an expression, with its period.
        comparison: How a datapoint is compared with `threshold` to raise the alarm.
        threshold: In the metric's unit.
        without_data: The state of the alarm in a period without a datapoint.
    """

    name: str
    description: str
    metric: cloudwatch.IMetric
    comparison: cloudwatch.ComparisonOperator
    threshold: float
    without_data: cloudwatch.TreatMissingData


def no_success(name: str, description: str, successes: cloudwatch.Metric) -> AlarmRule:
    """An alarm for a period of `successes` without any.

    `FILL`, because without data CloudWatch looks further back than the period, and would stay silent until the last
    success is several periods old. The alarm is raised without data too, for a metric that never had any.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    """
    filled = cloudwatch.MathExpression(
        expression="FILL(successes, 0)", using_metrics={"successes": successes}, period=successes.period
    )
    return AlarmRule(
        name=name,
        description=description,
        metric=filled,
        comparison=BELOW,
        threshold=1,
        without_data=ALARM_WITHOUT_DATA,
    )


def has_messages(name: str, description: str, visible: cloudwatch.Metric) -> AlarmRule:
    """An alarm while a dead-letter queue is not empty, by its `ApproximateNumberOfMessagesVisible`."""
    return AlarmRule(
        name=name,
        description=description,
        metric=visible,
        comparison=AT_LEAST,
        threshold=1,
        without_data=KEEP_STATE,  # SQS stops counting an idle queue after six hours; the message is still there
    )


class Alarms(Construct):
    """One alarm for each rule, with the same actions when it is raised and when it is over.

    Attributes:
        all: Every alarm, in the order of the rules.
        raised_without_data: Those that are raised until a first success: create them after the first run.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        rules: Sequence[AlarmRule],
        actions: Sequence[cloudwatch.IAlarmAction],
        runbook: str,
    ) -> None:
        super().__init__(scope, construct_id)
        alarms = {rule.name: _alarm(self, rule, actions, runbook) for rule in rules}
        self.all = [*alarms.values()]
        self.raised_without_data = [alarms[rule.name] for rule in rules if rule.without_data == ALARM_WITHOUT_DATA]


def _alarm(
    scope: Construct, rule: AlarmRule, actions: Sequence[cloudwatch.IAlarmAction], runbook: str
) -> cloudwatch.Alarm:
    alarm = cloudwatch.Alarm(
        scope,
        rule.name,
        alarm_description=f"{rule.description} Runbook: {runbook}#{rule.name.lower()}",
        metric=rule.metric,
        comparison_operator=rule.comparison,
        threshold=rule.threshold,
        evaluation_periods=1,
        treat_missing_data=rule.without_data,
    )
    if actions:
        alarm.add_alarm_action(*actions)
        alarm.add_ok_action(*actions)
    return alarm
