"""What happens to a check when AWS does not answer the operator."""

from collections.abc import Iterator

from botocore.exceptions import BotoCoreError, ClientError

from doctor.finding import Finding, warning
from lambda_fn.redact import excerpt


def asked(check: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """`findings`, and where AWS refuses or cannot be reached on the way, a warning that says so; others go on."""
    try:
        yield from findings
    except (BotoCoreError, ClientError) as error:
        way_out = "see that your AWS identity may read this and that its endpoint can be reached: docs/operations.md"
        yield warning(check, f"AWS cannot be asked: {said(error)}", way_out)


def said(error: BotoCoreError | ClientError) -> str:
    """AWS's own words, cut short: a refusal may end in kilobytes of encoded explanation."""
    return excerpt(str(error)).rstrip(".")
