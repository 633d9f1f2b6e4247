"""What happens to a check when AWS does not answer the operator."""

from collections.abc import Iterator

from botocore.exceptions import BotoCoreError, ClientError

from doctor.finding import Finding, warning


def asked(check: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """`findings`, and where AWS refuses or cannot be reached on the way, a warning that says so; others go on."""
    try:
        yield from findings
    except (BotoCoreError, ClientError) as error:
        yield warning(check, f"AWS cannot be asked: {error}", "let your own AWS identity read this: docs/operations.md")
