"""The slow network of the end-to-end tests, with real sockets."""

import socket
import time
from contextlib import ExitStack, closing, suppress
from threading import Thread

from tests.e2e.throttle import Throttle

CONTENT_BYTES = 300_000
"""The kernel holds them between two processes, so the throttle is done before the client reads."""


def test_a_client_that_sends_before_it_reads_gets_everything() -> None:
    """As one that speaks HTTP/2, from a server that has sent everything and leaves."""
    with ExitStack() as stack:
        server, listener = (stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2))
        throttle = Throttle(server.getsockname(), bytes_per_second=1)
        throttle.released.set()
        for target, argument in ((throttle.serve, listener), (send_and_leave, server)):
            Thread(target=target, args=(argument,), daemon=True).start()
        with closing(socket.create_connection(listener.getsockname())) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 << 10)
            time.sleep(0.5)
            client.sendall(b"window")
            time.sleep(0.2)
            received = sum(len(chunk) for chunk in iter(lambda: client.recv(16 << 10), b""))
        listener.shutdown(socket.SHUT_RDWR)
    assert received == CONTENT_BYTES


def send_and_leave(server: socket.socket) -> None:
    accepted, _ = server.accept()
    with closing(accepted), suppress(OSError):
        accepted.sendall(bytes(CONTENT_BYTES))
        accepted.shutdown(socket.SHUT_WR)
        while accepted.recv(1 << 10):
            pass
