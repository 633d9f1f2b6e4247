"""A blob that clients ask for again and again while others fill the cache: it has to stay cached."""

from collections.abc import Sequence
from dataclasses import dataclass

from testbed.sandbox.errors import SandboxError
from testbed.sandbox.layer_server.server import LayerServer
from testbed.soak.loads import Load
from testbed.soak.pull import Pull

PAUSE_MS = 500
"""On average; the longest pause is twice as long, so each pod is asked about once a second at least."""
LEAST_SHARE_OF_HITS = 0.99


@dataclass(frozen=True)
class HotBlob:
    """The blob, and the server that counts what is fetched of it."""

    path: str
    server: LayerServer

    def warm(self, addresses: Sequence[str]) -> None:
        """Let every pod cache it.

        Raises:
            SandboxError: A pod does not serve it.
        """
        for address in addresses:
            pull = Pull(self.path)
            pull.run(address)
            if not pull.is_whole:
                raise SandboxError(f"{address} does not serve {self.path}: {pull.error or pull.digest}")

    def load(self) -> Load:
        """One client for each pod."""
        return Load("hot blob", [self.path], 1, {"PAUSE_MS": str(PAUSE_MS)})

    def fetched_bytes(self) -> int:
        """How many of its bytes have been fetched so far."""
        return self.server.counts(self.path.rpartition("/")[2]).bytes


def share_of_hits(received_bytes: float, fetched_bytes: float) -> float:
    """How much of what clients received was in the cache; 0 where they received nothing."""
    return 1 - fetched_bytes / received_bytes if received_bytes else 0
