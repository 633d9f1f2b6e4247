"""An anonymous client that sends a path exactly as written, follows nothing, and remembers every answer."""

import json
import socket
import ssl
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, IncompleteRead
from typing import Any

ADDRESS = "127.0.0.1"
TIMEOUT_SECONDS = 60
LONGEST_TEXT_BYTES = 10_000
ACCEPT = {"Accept": "application/vnd.oci.image.manifest.v1+json"}
"""Without it a registry does not find an OCI manifest."""


@dataclass(frozen=True)
class Answer:
    """An answer, whole or cut off."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)
    complete: bool = True

    def header(self, name: str) -> str | None:
        """The value of a header that comes at most once."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) <= 1, f"{name} comes {len(values)} times"
        return values[0] if values else None

    def json(self) -> Any:  # noqa: ANN401 - JSON has no narrower type
        """The body, parsed."""
        assert self.header("Content-Type") == "application/json", self.header("Content-Type")
        return json.loads(self.body)

    def error_code(self) -> str:
        """The one code of an error in the shape of the OCI distribution specification."""
        received = self.json()
        assert set(received) == {"errors"}, received
        (error,) = received["errors"]
        assert set(error) == {"code", "message"}
        assert isinstance(error["code"], str)
        return error["code"]

    def text(self) -> str:
        """The headers, and the body unless it is as large as a layer, for the leak check."""
        headers = "\n".join(f"{key}: {value}" for key, value in self.headers)
        return headers + (self.body.decode(errors="replace") if len(self.body) < LONGEST_TEXT_BYTES else "")


class Client:
    """Sends requests to the proxy, each on a new connection; raises TimeoutError when no byte arrives in time."""

    def __init__(self, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self.seen: list[Answer] = []
        self._timeout_seconds = timeout_seconds

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """GET."""
        return self.ask("GET", path, headers)

    def head(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """HEAD."""
        return self.ask("HEAD", path, headers)

    def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, *, body: bytes | None = None
    ) -> Answer:
        """Any request."""
        with closing(self.open(method, path, headers, body=body)) as connection:
            return self.read(connection)

    def open(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, *, body: bytes | None = None
    ) -> HTTPConnection:
        """A request that is sent and not read."""
        connection = HTTPConnection(ADDRESS, 8080, timeout=self._timeout_seconds)
        connection.request(method, path, body, dict(headers or {}))
        return connection

    def read(self, connection: HTTPConnection) -> Answer:
        """Read the response; it is incomplete if the connection ends early."""
        response = connection.getresponse()
        try:
            body, complete = response.read(), True
        except IncompleteRead as error:
            body, complete = error.partial, False
        answer = Answer(response.status, tuple(response.getheaders()), body, complete)
        self.seen.append(answer)
        return answer

    def send_raw(self, request: bytes) -> bytes:
        """nginx's answer to bytes that no HTTP client would send; the half-closed connection reaches no upstream."""
        with socket.create_connection((ADDRESS, 8080), timeout=TIMEOUT_SECONDS) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            received = b"".join(iter(lambda: connection.recv(65536), b""))
        self.seen.append(Answer(0, (), received))
        return received


def certificate_of(server_name: str, trust: ssl.SSLContext) -> bytes:
    """The certificate of nginx's TLS port, which has to be trusted for the name."""
    with (
        socket.create_connection((ADDRESS, 8443), timeout=TIMEOUT_SECONDS) as connection,
        trust.wrap_socket(connection, server_hostname=server_name) as secured,
    ):
        shown = secured.getpeercert(binary_form=True)
    assert shown
    return shown
