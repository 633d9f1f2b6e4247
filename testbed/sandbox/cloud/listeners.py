"""A TLS listener on one address that can have an outage: refusing connections, or accepting and resetting them."""

import asyncio
import socket
import ssl
import struct
from collections.abc import Callable
from typing import cast

from aiohttp import web

from testbed.sandbox.cloud.behaviour import Outage
from testbed.sandbox.cloud.cloud import Cloud
from testbed.sandbox.world import KeyPair

HTTPS_PORT = 443
_LONGEST_FIELD_BYTES = 64 * 1024
"""Longer than any token or Location in a test; aiohttp's own limit is 8 k, below what AWS takes."""
_NO_LINGER = struct.pack("ii", 1, 0)


class Listener:
    """One address with one application behind it."""

    def __init__(self, app: web.Application, address: str, tls: ssl.SSLContext) -> None:
        self._runner = web.AppRunner(
            app, access_log=None, max_line_size=_LONGEST_FIELD_BYTES, max_field_size=_LONGEST_FIELD_BYTES
        )
        self._address = address
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._outage: Outage | None = None

    async def start(self) -> None:
        """Begin to answer."""
        await self._runner.setup()
        await self._open()

    async def stop(self) -> None:
        """Close the listener and every connection."""
        self._close()
        await self._runner.cleanup()

    async def set_outage(self, outage: Outage | None) -> None:
        """Start or end an outage; any change closes the open connections."""
        if outage == self._outage:
            return
        self._outage = outage
        self._close()
        if outage == "reset":
            self._server = await asyncio.get_running_loop().create_server(_Reset, self._address, HTTPS_PORT)
        elif outage is None:
            await self._open()

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        protocol = cast("Callable[[], asyncio.Protocol]", self._runner.server)
        self._server = await loop.create_server(protocol, self._address, HTTPS_PORT, ssl=self._tls, backlog=1024)

    def _close(self) -> None:
        if self._server:
            self._server.close()
        for connection in self._runner.server.connections if self._runner.server else ():
            if connection.transport:
                connection.transport.abort()


class _Reset(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        transport.close()


def tls_context(pair: KeyPair, cloud: Cloud, owns: Callable[[str], bool]) -> ssl.SSLContext:
    """TLS for the names that `owns` says are ours; a handshake without one of them fails.

    Raises:
        FileNotFoundError: The certificate or its key is missing.
    """
    for path in (pair.certificate, pair.key):
        path.stat()  # OpenSSL's own error does not name the file

    def choose(connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        if name is None or not owns(name):
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        cloud.server_names[cast("ssl.SSLObject", connection)] = name
        return None

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair.certificate, pair.key)
    context.sni_callback = choose
    return context
