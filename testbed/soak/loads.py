"""Loads on pods: wrk with requests of many kinds, side by side, for as long as a block lasts."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from testbed.bench import wrk

PORT = 8080
TIMEOUT_SECONDS = 300
"""wrk counts a slower request as an error. A whole pull of a busy machine may take minutes."""


@dataclass(frozen=True)
class Load:
    """Requests without an end: any one of the paths each time, with what wrk/varied.lua varies."""

    title: str
    paths: Sequence[str]
    connections: int
    varied: Mapping[str, str]

    def start(self, address: str, seconds: int) -> "subprocess.Popen[str]":
        """Begin, against one pod."""
        environment = {**os.environ, **self.varied, "PATHS": " ".join(self.paths), "REPORT": wrk.REPORT}
        url = f"http://{address}:{PORT}/"
        words = wrk.command(
            url, "varied.lua", {}, connections=self.connections, seconds=seconds, timeout_seconds=TIMEOUT_SECONDS
        )
        return subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own words


@contextmanager
def running(
    loads: Sequence[Load], addresses: Sequence[str], seconds: int
) -> Iterator[list[tuple[Load, "subprocess.Popen[str]"]]]:
    """Every load against every pod; what still runs at the end of the block is ended, without a result."""
    processes = [(load, load.start(address, seconds)) for load in loads for address in addresses]
    try:
        yield processes
    finally:
        for _, process in processes:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            process.wait()


def finish(process: "subprocess.Popen[str]") -> wrk.Load:
    """The result so far of a load, which ends by it: wrk reports when it is interrupted."""
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate()
    return wrk.parse(output)
