"""Who hears of an alarm, as an operator sets it. Pure."""

from typing import Annotated

from pydantic import Field

from lambda_fn.settings.fields import EmailAddress, PageUrl, TopicArn
from lambda_fn.settings.table import Table


class Alarms(Table):
    """Who hears of an alarm. The alarms themselves are always there, and on the dashboard."""

    topic_arn: TopicArn | None = None
    """An SNS topic of yours, in the cluster's region. Its policy (and its key's) has to let CloudWatch publish."""
    emails: Annotated[tuple[EmailAddress, ...], Field(strict=False)] = ()
    """Addresses that get mail from a topic the stack makes. Each has to confirm the first mail."""
    runbook_url: PageUrl | None = None
    """Where your people read docs/operations.md, such as its page in your Git server: each alarm's description then
    ends in a link to its section. By default it names the file and the section.
    """
