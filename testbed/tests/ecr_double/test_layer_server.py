"""The layer server gives the bytes of `Generated`, as a whole and in ranges, and counts them."""

import hashlib
import json
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from urllib.parse import urlencode

import pytest

from testbed.sandbox import tools
from testbed.sandbox.cloud import content
from testbed.waiting import eventually

SERVER = tools.Tool("layer-server", ".", Path(content.__file__).parent / "layer_server")
LAYER = content.Generated(3 * 1024 * 1024 + 5, seed=7)
PATH = f"/blobs/sha256/{LAYER.digest()[:2]}/{LAYER.digest()}/data"
PORT, CONTROL_PORT = 28443, 28444


def _control(method: str, path: str) -> tuple[int, bytes]:
    with closing(HTTPConnection("127.0.0.1", CONTROL_PORT, timeout=5)) as connection:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read()


def _up() -> bool:
    try:
        return _control("GET", "/counts")[0] == 200
    except ConnectionRefusedError:
        return False


@pytest.fixture(scope="module")
def layers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HTTPSConnection]:
    folder = tmp_path_factory.mktemp("layers")
    tools.build(folder, (SERVER,))
    page, certificate, key = folder / "page", folder / "certificate", folder / "key"
    page.write_bytes(LAYER._page)  # noqa: SLF001 - the server needs the page itself
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=layers"
    subprocess.run((*make.split(), "-keyout", key, "-out", certificate), check=True, capture_output=True)  # noqa: S603 - no input
    addresses = ("-listen", f"127.0.0.1:{PORT}", "-control", f"127.0.0.1:{CONTROL_PORT}")
    program = tools.folder(folder, (SERVER,)) / SERVER.name
    with subprocess.Popen((program, *addresses, "-certificate", certificate, "-key", key)) as process:  # noqa: S603 - no input
        assert eventually(_up)
        query = urlencode({"size_bytes": LAYER.size_bytes, "page": page})
        assert _control("PUT", f"/layers/{LAYER.digest()}?{query}")[0] == 200
        context = ssl.create_default_context(cafile=str(certificate))
        context.check_hostname = False
        with closing(HTTPSConnection("127.0.0.1", PORT, timeout=5, context=context)) as connection:
            yield connection
        process.terminate()


def _get(layers: HTTPSConnection, **headers: str) -> tuple[int, bytes]:
    layers.request("GET", PATH, headers=headers)
    answer = layers.getresponse()
    return answer.status, answer.read()


def test_the_whole_layer_has_its_digest(layers: HTTPSConnection) -> None:
    status, body = _get(layers)
    assert (status, hashlib.sha256(body).hexdigest()) == (200, LAYER.digest())


def test_a_range_across_two_pages_has_the_second_page_s_number(layers: HTTPSConnection) -> None:
    status, body = _get(layers, Range="bytes=1048570-1048589")
    assert (status, body) == (206, LAYER.read(1048570, 6) + LAYER.read(1048576, 14))


def test_bytes_requests_and_connections_are_counted(layers: HTTPSConnection) -> None:
    before = json.loads(_control("GET", "/counts")[1])
    _get(layers, Range="bytes=0-99")
    after = json.loads(_control("GET", "/counts")[1])
    assert (after["bytes"] - before["bytes"], after["requests"] - before["requests"]) == (100, 1)
    assert after["connections"] >= 1
