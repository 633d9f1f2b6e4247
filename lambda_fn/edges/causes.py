"""What led to an error: libraries wrap the errors of the operating system and of OpenSSL, several times over."""

from typing import TypeVar

Cause = TypeVar("Cause", bound=BaseException)


def cause_of(error: BaseException, kind: type[Cause]) -> Cause | None:
    """The first error of this kind in the chain that begins with `error`; None where there is none."""
    cause: BaseException | None = error
    while cause:
        if isinstance(cause, kind):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None
