"""Names that ECR accepts and refuses. Those in the file are for the tests in JavaScript, too."""

import json
from pathlib import Path

_FILE = Path(__file__).with_suffix(".json")
_NAMES = json.loads(_FILE.read_text(encoding="utf-8"))
VALID: tuple[str, ...] = (*_NAMES["valid"], "a" * 256, "a-" * 127 + "ab", "a/" * 127 + "ab", "team/tags/" + "a" * 246)
INVALID: tuple[str, ...] = (
    *_NAMES["invalid"],
    "a",
    "a" * 257,
    "a-" * 128 + "a",
    # A part of a name may be called like an endpoint.
    *(f"team/{endpoint}/{'a' * 250}" for endpoint in ("manifests", "blobs", "tags", "referrers")),
)
