"""The functions' log in CloudWatch: lines of JSON, and of a run that failed one error."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from aws_lambda_powertools import Logger

from lambda_fn.contract.errors import FrontdoorError
from lambda_fn.contract.metrics import SERVICE
from lambda_fn.job.reason import shortened

# botocore logs whole answers at DEBUG, tokens included; a log level set on the function must not enable that.
_LIBRARIES = ("boto3", "botocore", "urllib3", "httpx2", "httpcore2")


def new_logger() -> Logger:
    """The logger of an entry point. From here on, libraries log warnings and errors only."""
    for library in _LIBRARIES:
        logging.getLogger(library).setLevel(logging.WARNING)
    return Logger(service=SERVICE)


@contextmanager
def errors_to(logger: Logger) -> Iterator[None]:
    """Log what ends the invocation, and let it end: an error of this project as one line, any other with its trace.

    The line has the whole message. What the invocation answers is shortened: the run of a deployment answers
    CloudFormation, which shows no reason where that is too long.
    """
    try:
        yield
    except FrontdoorError as error:
        logger.error(  # noqa: TRY400 - its message is complete; a stack trace would hide it
            str(error), error=type(error).__name__, exc_info=logger.log_level <= logging.DEBUG
        )
        error.args = (shortened(str(error)),)
        raise
    except Exception:
        logger.exception("unexpected error: this is a defect of ecr-frontdoor")
        raise
