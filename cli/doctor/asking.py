"""What happens to a check when AWS does not answer the operator, or does not have what it is asked for."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from cli.doctor.finding import Finding, warning
from lambda_fn.job.redact import excerpt

Answer = TypeVar("Answer")

_GONE = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "LoadBalancerNotFound",
        "LoadBalancerNotFoundException",
        "NoSuchEntity",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
        "TargetGroupNotFound",
        "TargetGroupNotFoundException",
    }
)
"""The codes of what there is not, as the services call them: with SQS it depends on the protocol."""


def asked(check: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """`findings`, and where AWS refuses or cannot be reached on the way, a warning that says so; others go on."""
    try:
        yield from findings
    except (BotoCoreError, ClientError) as error:
        way_out = "see that your AWS identity may read this and that its endpoint can be reached: docs/operations.md"
        yield warning(check, f"AWS cannot be asked: {said(error)}", way_out)


def known(ask: Callable[..., Answer], **parameters: object) -> Answer | None:
    """AWS's answer to a question; None where it does not have what is asked for.

    Raises:
        ClientError: It refuses for another reason.
    """
    try:
        return ask(**parameters)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _GONE:
            raise
        return None


def said(error: BotoCoreError | ClientError) -> str:
    """AWS's own words, cut short: a refusal may end in kilobytes of encoded explanation."""
    return excerpt(str(error)).rstrip(".")
