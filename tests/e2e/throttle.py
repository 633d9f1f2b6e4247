"""A slow network between clients and the front door: passes connections on, at a rate, until it is released."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from threading import Event, Thread

_BUFFER_BYTES = 64 << 10
_CHUNK_BYTES = 16 << 10


class Throttle:
    """Its connections end where they lead to; TLS passes through.

    Attributes:
        released: When set, every connection is as fast as it can be.
    """

    def __init__(self, server: tuple[str, int], bytes_per_second: int) -> None:
        self._server = server
        self._bytes_per_second = bytes_per_second
        self.released = Event()

    def serve(self, listener: socket.socket) -> None:
        """Accept until the listener is closed."""
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with closing(client), closing(socket.socket()) as server, suppress(OSError):
            # What the kernel holds is not read slowly.
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
            server.connect(self._server)
            requests = Thread(target=_copy, args=(client, server), daemon=True)
            requests.start()
            while chunk := server.recv(_CHUNK_BYTES):
                client.sendall(chunk)
                self.released.wait(len(chunk) / self._bytes_per_second)
            # After SHUT_RD, Linux resets a connection at what a client still sends, as one does by HTTP/2 that reads:
            # what is on its way to it is lost. https://www.rfc-editor.org/rfc/rfc1122#page-88
            client.shutdown(socket.SHUT_WR)
            requests.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(_CHUNK_BYTES):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def throttled(address: str, server: str, *, bytes_per_second: int, port: int = 443) -> Iterator[Throttle]:
    """Listens at an address of this machine, and leads to the same port of a server.

    Args:
        address: Where clients connect to.
        server: The address it leads to.
        bytes_per_second: To each client.
        port: Of both.
    """
    made = Throttle((server, port), bytes_per_second)
    listener = socket.create_server((address, port), backlog=64)
    thread = Thread(target=made.serve, args=(listener,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.released.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
