"""A hostile client that keeps requesting at one rate, whatever it gets.

`python -m testbed.soak.flood KIND --rate N --seconds S`. It prints the number of answers with each status as JSON. Load
goes to loopback and the sandbox's own pods only.
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress

from testbed.soak import programs
from testbed.soak.flood_requests import KINDS, Aim, Request

MOST_AT_ONCE = 4000
FIRST_BYTES = 16_384


class Flood:
    """Requests at one rate, each on a connection of its own."""

    def __init__(
        self, requests: Iterator[Request], *, aborts: bool, target: tuple[str, int], source: str, headers: str
    ) -> None:
        self._requests, self._aborts, self._target = requests, aborts, target
        self._source, self._headers = source, headers
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
                    task = asyncio.create_task(self._ask(next(self._requests)))
                    self._running.add(task)
                    task.add_done_callback(self._running.discard)
            await asyncio.sleep(0.005)
        for task in list(self._running):
            task.cancel()
        self.statuses["dropped"] += len(self._running)
        return self.statuses

    async def _ask(self, request: Request) -> None:
        writer = None
        try:
            reader, writer = await asyncio.open_connection(*self._target, local_addr=(self._source, 0))
            headers = f"Host: x\r\nConnection: close\r\n{request.headers}{self._headers}"
            writer.write(f"{request.method} {request.path} HTTP/1.1\r\n{headers}\r\n".encode())
            line = await reader.readline()
            self.statuses[line.split(b" ")[1].decode() if line else "closed"] += 1
            await reader.read(FIRST_BYTES if self._aborts else -1)
        except OSError as error:
            self.statuses[type(error).__name__] += 1
        finally:
            if writer:
                with suppress(OSError):
                    writer.close()


def command(kind: str, options: Mapping[str, object]) -> list[str]:
    """The words that start this program for one kind of flood, with its options by name."""
    return programs.words("testbed.soak.flood", kind, options)


def main() -> int:
    """Flood."""
    parser = argparse.ArgumentParser(prog="python -m testbed.soak.flood", description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--rate", type=float, default=300, help="requests per second [%(default)s]")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--repository", default="team/app")
    parser.add_argument("--path", action="append", default=[], help="of content that exists")
    parser.add_argument("--size", type=int, default=0, help="of each of this content, in bytes")
    parser.add_argument("--target", default="127.0.0.1:8080")
    parser.add_argument("--source", default="127.1.0.1")
    parser.add_argument("--header", action="append", default=[], help="of each request, such as 'X-Forwarded-For: ...'")
    arguments = parser.parse_args()
    host, _, port = arguments.target.partition(":")
    kind = KINDS[arguments.kind]
    flood = Flood(
        kind.requests(Aim(arguments.repository, arguments.path, arguments.size)),
        aborts=kind.aborts,
        target=(host, int(port)),
        source=arguments.source,
        headers="".join(f"{header}\r\n" for header in arguments.header),
    )
    json.dump(asyncio.run(flood.run(arguments.rate, arguments.seconds)), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
