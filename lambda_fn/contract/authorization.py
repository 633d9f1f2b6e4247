"""The type of every secret text: it hides itself. Pure."""

import hmac
from typing import NoReturn


class Authorization:
    """The value of a request's `Authorization` header: only `reveal` shows it.

    Its repr, and so every log, f-string, traceback with locals and assertion, is `Authorization(***)`. It cannot be
    pickled or copied, so that it does not reach a cache or another process by accident.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself: only for the request or the Secret that it is meant for."""
        return self._value

    def __repr__(self) -> str:
        return "Authorization(***)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Authorization):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((Authorization, self._value))

    def __reduce__(self) -> NoReturn:
        raise TypeError("an Authorization is neither pickled nor copied")
