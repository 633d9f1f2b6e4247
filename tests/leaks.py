"""Finding a secret in whatever a program has emitted, in any notation it may have got into."""

import base64
import json
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from secrets import token_urlsafe
from urllib.parse import quote, quote_plus

HIDING_PLACES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "DOCKER_AUTH_CONFIG")
"""Variables of an environment that hold credentials."""

PIECE_CHARACTERS = 24
"""A leak may be cut short: any piece of a secret of this length counts."""


@dataclass(frozen=True)
class LeakCheck:
    """An ECR token that no other test has, to be searched for afterwards.

    Attributes:
        password_bytes: How long the password is; tokens of role credentials are about 4,800 characters.
    """

    password_bytes: int = 3600
    password: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # A colon and characters that base64 and URLs each write differently.
        object.__setattr__(self, "password", f"{token_urlsafe(24)}:/+ü{token_urlsafe(self.password_bytes)}")

    @property
    def authorization(self) -> str:
        """The token as ECR's API gives it."""
        return base64.b64encode(f"AWS:{self.password}".encode()).decode()

    def leaks(self, emitted: str | bytes) -> list[str]:
        """Where the token or its password shows in `emitted`; empty is good."""
        return [*leaks(self.authorization, emitted), *leaks(self.password, emitted)]


def leaks(secret: str, emitted: str | bytes) -> list[str]:
    """Each notation in which a piece of `secret` is in `emitted`, with what stands before it."""
    text = emitted.decode(errors="replace") if isinstance(emitted, bytes) else emitted
    # Logs put JSON into JSON, and long base64 comes in lines.
    variants = {text, text.replace("\\", ""), "".join(text.split())}
    found = []
    for start in range(0, max(1, len(secret) - PIECE_CHARACTERS + 1), PIECE_CHARACTERS):
        piece = secret[start : start + PIECE_CHARACTERS]
        for notation, needle in _notations(piece):
            for variant in variants:
                if (at := variant.find(needle)) >= 0:
                    found.append(f"{notation} of characters {start}.. after {variant[max(0, at - 60) : at]!r}")
                    break
    return found


def shown_with_locals(error: BaseException) -> str:
    """What a tracer that shows local variables makes of an error and its causes, but for the frame that caught it."""
    frames = error.__traceback__.tb_next if error.__traceback__ else None
    return "".join(traceback.TracebackException(type(error), error, frames, capture_locals=True).format())


def _notations(piece: str) -> Iterator[tuple[str, str]]:
    raw = piece.encode()
    yield "raw", piece
    yield "json", json.dumps(piece)[1:-1]
    yield "url", quote(piece, safe="")
    yield "form", quote_plus(piece)
    yield "hex", raw.hex()
    for shift in range(3):
        # Inside a longer text the piece may begin at any of base64's three alignments; its edges are shared, so cut.
        encoded = base64.b64encode(b"\0" * shift + raw)[4 if shift else 0 : -4].decode()
        yield f"base64+{shift}", encoded
        yield f"base64url+{shift}", encoded.replace("+", "-").replace("/", "_")
        yield f"url of base64+{shift}", quote(encoded, safe="")
        # The Secret's `data` is base64 of JSON that holds base64.
        for outer in range(3):
            inner = base64.b64encode(b"\0" * outer + encoded.encode())[4 if outer else 0 : -4].decode()
            yield f"base64+{outer} of base64+{shift}", inner
