"""Quoted text from outside: short, and without anything that looks like a credential. Pure."""

import re

LINE_CHARACTERS = 300

# Defence in depth: nginx's log format and Kubernetes' messages hold no credentials to begin with.
_CREDENTIALS = re.compile(
    r"(?i)(?P<kept>\b(?:basic|bearer|authorization[\"':=\s]+(?:basic|bearer)?|x-amz-(?:security-token|signature|credential)=|"
    r"(?:password|secret|token)[\"':=]+)\s*)[^\s\"'&,;]+"
    r"|[A-Za-z0-9+/_-]{80,}={0,2}"
)


def redact(text: str) -> str:
    """`text` with credentials in the usual notations, and any long run of base64, replaced by `***`."""
    return _CREDENTIALS.sub(lambda found: f"{found['kept'] or ''}***", text)


def excerpt(text: str, *, characters: int = LINE_CHARACTERS) -> str:
    """`text` as one redacted line of bounded length, without the control characters that a terminal obeys."""
    line = redact(" ".join("".join(letter if letter.isprintable() else " " for letter in text).split()))
    return line if len(line) <= characters else f"{line[:characters]}..."
