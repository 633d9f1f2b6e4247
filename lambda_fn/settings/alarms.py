"""Where alarms are sent, as an operator sets it. Pure."""

from typing import Annotated

from pydantic import Field

from lambda_fn.settings.fields import EmailAddress, PageUrl, TopicArn
from lambda_fn.settings.table import Table


class Alarms(Table):
    """Where alarms are sent. The alarms exist in any case, and are on the dashboard."""

    topic_arn: TopicArn | None = None
    """An SNS topic of yours, in the cluster's region. Its policy, and that of its key, must let CloudWatch publish."""
    emails: Annotated[tuple[EmailAddress, ...], Field(strict=False)] = ()
    """Addresses that get mail from a topic that the stack creates. Each must confirm its first mail."""
    runbook_url: PageUrl | None = None
    """The page where your operators read docs/operations.md, such as in your Git server: each alarm's description then
    ends with a link to its section. By default it names the file and the section.
    """
