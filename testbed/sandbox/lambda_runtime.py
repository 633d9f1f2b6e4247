"""One invocation of a handler under AWS's own runtime interface client, without the Lambda service.

What the Lambda service does for a function is a small HTTP API: AWS's runtime interface client (`awslambdaric`) asks it
for the next event and posts the answer to it. It is served here on loopback, for one event.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from tempfile import TemporaryFile
from typing import IO, Any

ROOT = Path(__file__).parents[2]
_POLL_SECONDS = 0.1
_FUNCTION_ARN = "arn:aws:lambda:ap-southeast-2:123456789012:function:frontdoor-refresher"
_LIMITS = {
    "AWS_LAMBDA_FUNCTION_NAME": "frontdoor-refresher",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
    "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/frontdoor-refresher",
    "AWS_LAMBDA_LOG_STREAM_NAME": "sandbox",
    # A runtime that the kernel ends says where it was.
    "PYTHONFAULTHANDLER": "1",
}
_EXITED = "Runtime.ExitError"
_LAST_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class Invocation:
    """The result of one event.

    Attributes:
        payload: What the handler returned; None when it failed.
        error: errorType, errorMessage and stackTrace as Lambda reports them; None when it succeeded.
        log: Everything the process wrote to standard output and error.
    """

    payload: Any
    error: dict[str, Any] | None
    log: str


@dataclass(frozen=True, slots=True)
class Code:
    """The code that a runtime runs.

    Attributes:
        root: Lambda's task root: the working directory, and first on the path of modules.
        command: The interpreter, with what it is started through.
        packages: More folders on the path of modules.
    """

    root: Path = ROOT
    command: tuple[str, ...] = (sys.executable,)
    packages: tuple[Path, ...] = ()


SOURCES = Code()
"""This checkout, with its virtual environment."""


def invoke(
    handler: str,
    event: object,
    environment: Mapping[str, str],
    timeout_seconds: float = 300,
    code: Code = SOURCES,
) -> Invocation:
    """Start a fresh runtime, give it one event, and end it when it has answered.

    Args:
        handler: Module and function, such as `lambda_fn.handler.handler`.
        event: Anything JSON can hold.
        environment: All of the function's environment: nothing is inherited but the PATH.
        timeout_seconds: The function's time-out: what its context says remains, and when it is ended.
        code: This checkout's, or something that was deployed.
    """
    with _runtime_api(event, timeout_seconds) as (address, answers), TemporaryFile() as log:
        process = _start(handler, {**environment, "AWS_LAMBDA_RUNTIME_API": address}, code, log)
        try:
            payload, error = _answer(answers, process, timeout_seconds)
        finally:
            process.kill()
            process.wait()
        log.seek(0)
        text = log.read().decode(errors="replace")
        if error and error["errorType"] == _EXITED and text:
            error["errorMessage"] += f"; its last words: {text[-_LAST_CHARACTERS:]}"
        return Invocation(payload, error, text)


def _start(handler: str, environment: Mapping[str, str], code: Code, log: IO[bytes]) -> subprocess.Popen[bytes]:
    path = {"PYTHONPATH": os.pathsep.join(map(str, code.packages))} if code.packages else {}
    own = {"PATH": os.environ.get("PATH", ""), "LAMBDA_TASK_ROOT": str(code.root), **path}
    return subprocess.Popen(
        (*code.command, "-m", "awslambdaric", handler),
        cwd=code.root,
        env={**own, **_LIMITS, **environment},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
    )


Answer = tuple[Any, dict[str, Any] | None]


def _answer(answers: "Queue[Answer]", process: subprocess.Popen[bytes], timeout_seconds: float) -> Answer:
    ends_at = time.monotonic() + timeout_seconds
    while time.monotonic() < ends_at:
        try:
            return answers.get(timeout=_POLL_SECONDS)
        except Empty:
            if process.poll() is not None and answers.empty():
                status = process.returncode
                return None, {"errorType": _EXITED, "errorMessage": f"the runtime ended with {status}"}
    return None, {"errorType": "Sandbox.Timedout", "errorMessage": f"Task timed out after {timeout_seconds} seconds"}


@contextmanager
def _runtime_api(event: object, timeout_seconds: float) -> Iterator[tuple[str, "Queue[Answer]"]]:
    """The runtime API with one event: its address, and where the answer will be."""
    answers: Queue[Answer] = Queue()
    ended = threading.Event()
    server = _Server(("127.0.0.1", 0), _handler(event, timeout_seconds, answers, ended))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": _POLL_SECONDS}, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}", answers
    finally:
        ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """The runtime is killed while it waits for another event: its connection breaks, as it should."""


def _handler(
    event: object, timeout_seconds: float, answers: "Queue[Answer]", ended: threading.Event
) -> type[BaseHTTPRequestHandler]:
    body = json.dumps(event).encode()
    given = threading.Lock()

    class RuntimeApi(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if not given.acquire(blocking=False):
                # There is no second event: the runtime is killed while it waits for it.
                ended.wait()
                self.close_connection = True
                return
            deadline = round((time.time() + timeout_seconds) * 1000)
            self._send(
                200,
                body,
                {
                    "Lambda-Runtime-Aws-Request-Id": str(uuid.uuid4()),
                    "Lambda-Runtime-Deadline-Ms": str(deadline),
                    "Lambda-Runtime-Invoked-Function-Arn": _FUNCTION_ARN,
                },
            )

        def do_POST(self) -> None:
            sent = json.loads(self._body() or b"null")
            answers.put((sent, None) if self.path.endswith("/response") else (None, sent))
            self._send(202, b"{}", {})

        def log_message(self, *_: object) -> None:
            """Log nothing: only the function's log matters."""

        def _send(self, status: int, sent: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Type": "application/json", "Content-Length": len(sent)}.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(sent)

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            chunks = []
            while size := int(self.rfile.readline(), 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)

    return RuntimeApi
