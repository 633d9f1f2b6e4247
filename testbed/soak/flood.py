"""A hostile client that keeps requesting at one rate, whatever it gets: content that does not exist, or given paths.

`python -m testbed.soak.flood --rate N --seconds S`. With `--paths FILE` it asks for these, one after the
other, otherwise for missing digests, missing tags and lists. It prints the number of answers with each status.
"""

import argparse
import asyncio
import json
import secrets
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import cycle
from pathlib import Path

MOST_AT_ONCE = 4000


def missing(repository: str) -> Iterator[str]:
    """Paths of content that does not exist, each another one, and lists, which are never cached."""
    while True:
        yield f"/v2/{repository}/manifests/sha256:{secrets.token_hex(32)}"
        yield f"/v2/{repository}/manifests/{secrets.token_hex(8)}"
        yield f"/v2/{repository}/tags/list"


class Flood:
    """Requests at one rate, each on a connection of its own."""

    def __init__(self, paths: Iterator[str], *, target: tuple[str, int], source: str, headers: str) -> None:
        self._paths, self._target, self._source, self._headers = paths, target, source, headers
        self._running: set[asyncio.Task[None]] = set()
        self.statuses: Counter[str] = Counter()

    async def run(self, rate: float, seconds: float) -> Counter[str]:
        """Request until the time has passed; what is not answered then is dropped."""
        loop = asyncio.get_running_loop()
        begin, sent = loop.time(), 0
        while (elapsed := loop.time() - begin) < seconds:
            for _ in range(int(elapsed * rate) - sent):
                sent += 1
                if len(self._running) < MOST_AT_ONCE:
                    task = asyncio.create_task(self._ask(next(self._paths)))
                    self._running.add(task)
                    task.add_done_callback(self._running.discard)
            await asyncio.sleep(0.005)
        for task in list(self._running):
            task.cancel()
        self.statuses["dropped"] += len(self._running)
        return self.statuses

    async def _ask(self, path: str) -> None:
        writer = None
        try:
            reader, writer = await asyncio.open_connection(*self._target, local_addr=(self._source, 0))
            writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{self._headers}\r\n".encode())
            line = await reader.readline()
            self.statuses[line.split(b" ")[1].decode() if line else "closed"] += 1
            await reader.read()
        except OSError as error:
            self.statuses[type(error).__name__] += 1
        finally:
            if writer:
                with suppress(OSError):
                    writer.close()


def main() -> int:
    """Flood."""
    parser = argparse.ArgumentParser(prog="python -m testbed.soak.flood", description=__doc__)
    parser.add_argument("--rate", type=float, default=300, help="requests per second [%(default)s]")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--repository", default="team/app")
    parser.add_argument("--paths", type=Path, help="a file with one path in each line")
    parser.add_argument("--target", default="127.0.0.1:8080")
    parser.add_argument("--source", default="127.1.0.1")
    parser.add_argument("--header", action="append", default=[], help="of each request, such as 'Range: bytes=0-0'")
    arguments = parser.parse_args()
    host, _, port = arguments.target.partition(":")
    paths = cycle(arguments.paths.read_text().split()) if arguments.paths else missing(arguments.repository)
    headers = "".join(f"{header}\r\n" for header in arguments.header)
    flood = Flood(paths, target=(host, int(port)), source=arguments.source, headers=headers)
    json.dump(asyncio.run(flood.run(arguments.rate, arguments.seconds)), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
