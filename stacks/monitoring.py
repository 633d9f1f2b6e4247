"""The alarms and the dashboard of an installation, from its monitors."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_kms as kms

from lambda_fn.settings.alarms import Alarms as AlarmSettings
from stacks.alarms import RUNBOOK, Alarms
from stacks.dashboard import Dashboard
from stacks.monitors import Monitor
from stacks.notifications import Notifications


def monitoring(
    stack: cdk.Stack, monitors: Sequence[Monitor], *, title: str, settings: AlarmSettings, key: kms.IKey | None
) -> Alarms:
    """Add the alarms, the topics they notify and the dashboard to the stack.

    Args:
        stack: Of the installation.
        monitors: Each graph with its alarms, in the order of the dashboard.
        title: Of the dashboard.
        settings: Where alarms are sent.
        key: Encrypts the mail topic; None without a key of the stack.
    """
    alarms = Alarms(
        stack,
        "Alarms",
        rules=[rule for monitor in monitors for rule in monitor.alarms],
        actions=Notifications(stack, "Notices", alarms=settings, key=key).actions,
        runbook=settings.runbook_url or RUNBOOK,
    )
    Dashboard(stack, "Page", title=title, graphs=[monitor.graph for monitor in monitors], alarms=alarms.all)
    return alarms
