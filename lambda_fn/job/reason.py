"""The message of a failed run, short enough for CloudFormation to show it. Pure."""

import json
from bisect import bisect_right

REASON_BYTES = 3_000
"""Of a message, as JSON holds it. CloudFormation refuses a response of more than 4,096 bytes, and then shows no reason.

What is left holds CDK's stack trace, about 300 bytes, and the ids: a stack's name alone may have 128 characters.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
"""
QUOTE = "  "
"""How a line begins that is quoted from a log; such lines come last, in their order."""
_REMARK = "... (the Lambda's log has the whole message)"


def shortened(message: str) -> str:
    """`message`, without its oldest quoted lines, and then without its end, where it has more than `REASON_BYTES`."""
    if _size(message) <= REASON_BYTES:
        return message
    cause, _, quoted = message.partition(f"\n{QUOTE}")
    kept = _beginning(cause, REASON_BYTES - _size(f"\n{_REMARK}"))
    shown = f"{kept}\n{_REMARK}"
    newest = ""
    for line in reversed(quoted.split("\n") if kept == cause else []):
        longer = f"\n{QUOTE}{line.removeprefix(QUOTE)}{newest}"
        if _size(shown + longer) > REASON_BYTES:
            break
        newest = longer
    return shown + newest


def _beginning(text: str, size: int) -> str:
    """As much of `text` as `size` bytes of JSON hold."""
    return text[: bisect_right(range(1, len(text) + 1), size, key=lambda length: _size(text[:length]))]


def _size(text: str) -> int:
    """The bytes of `text` within JSON as JavaScript writes it, without its quotation marks."""
    return len(json.dumps(text, ensure_ascii=False).encode(errors="backslashreplace")) - 2
