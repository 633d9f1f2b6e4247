"""Whether AWS accepts the operator's credentials."""

from collections.abc import Iterator

from botocore.exceptions import BotoCoreError, ClientError

from cli.doctor.aws_calls import LOG_IN, error_text
from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok


def run(context: CheckContext) -> Iterator[Finding]:
    """The operator's identity, by STS."""
    try:
        caller = context.client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        yield failed(f"AWS does not accept your credentials: {error_text(error)}", LOG_IN, fatal=True)
        return
    yield ok(f"you are {caller['Arn']}")


CHECK = Check("aws", Category.AWS, run)
