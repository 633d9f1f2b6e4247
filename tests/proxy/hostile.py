"""A hostile client at work: `testbed.soak.attack` as a program beside the test; and pods that are small for it."""

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from lambda_fn.contract.objects import TEMPLATE_KEY
from testbed.sandbox.pod import Pod
from testbed.soak.attack import command
from tests.proxy.memory import anonymous_kib

_SCALE = 8
CONNECTIONS = 17_000 // _SCALE
"""An eighth of what one address opens, for a pod with an eighth of its connections."""
HEADER_SECONDS = 10
"""How long a client may send its header."""


def start_small(pod: Pod) -> None:
    """Start a pod with fewer connections."""
    template = pod.template(TEMPLATE_KEY)
    fewer = re.sub(r"worker_connections {{ (.+) }};", rf"worker_connections {{{{ (\1) // {_SCALE} }}}};", template)
    assert fewer != template
    pod.configure(fewer)
    pod.start()


@contextmanager
def attack(kind: str, **options: object) -> Iterator["subprocess.Popen[bytes]"]:
    """One that attacks for its seconds; at the end of the block it has ended.

    Args:
        kind: Of the attack.
        options: Of the program.
    """
    with subprocess.Popen(command(kind, options), stdout=subprocess.DEVNULL) as process:  # noqa: S603 - our own words
        yield process
        assert process.wait() == 0


def kib_of_a_connection(pod: Pod, path: str) -> float:
    """What nginx holds for a connection whose header is nearly full, but has not ended."""
    held: list[int] = []
    for connections in (CONNECTIONS // 4, CONNECTIONS):
        with attack("7k-header", connections=connections, seconds=HEADER_SECONDS - 1, path=path) as attacker:
            held.append(_highest_kib(pod, attacker))
    return (held[1] - held[0]) / (CONNECTIONS * 3 / 4)


def _highest_kib(pod: Pod, attacker: "subprocess.Popen[bytes]") -> int:
    """The most memory that a pod holds during an attack. On a busy machine its connections come slowly."""
    highest = 0
    while attacker.poll() is None:
        highest = max(highest, anonymous_kib(pod))
        time.sleep(0.2)
    return highest
