"""One client that pulls a layer of any size, and hashes it."""

import hashlib
import time
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException

from testbed.soak.loads import PORT, TIMEOUT_SECONDS

CHUNK_BYTES = 1 << 20


@dataclass
class Pull:
    """One client's pull of a layer, under way or ended.

    Attributes:
        received_bytes: So far.
        digest: Of what was received.
        error: Why it ended early.
    """

    path: str
    received_bytes: int = 0
    seconds: float = 0
    digest: str = ""
    error: str = ""

    def run(self, address: str) -> None:
        """Receive and hash."""
        began, found, buffer = time.monotonic(), hashlib.sha256(), bytearray(CHUNK_BYTES)
        try:
            with closing(HTTPConnection(address, PORT, timeout=TIMEOUT_SECONDS)) as connection:
                connection.request("GET", self.path)
                answer = connection.getresponse()
                while size := answer.readinto(buffer):
                    found.update(memoryview(buffer)[:size])
                    self.received_bytes += size
        except (OSError, HTTPException) as error:
            self.error = repr(error)
        self.seconds = time.monotonic() - began
        self.digest = f"sha256:{found.hexdigest()}"

    @property
    def is_whole(self) -> bool:
        """Whether the bytes are those that the digest names."""
        return self.path.endswith(self.digest)
