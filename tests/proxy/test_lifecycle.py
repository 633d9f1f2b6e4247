"""Starting, restarting and stopping, by the commands of the chart."""

import os
import secrets
import signal
import socket
import subprocess
import time
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest

from lambda_fn.contract.objects import TEMPLATE_KEY
from lambda_fn.contract.paths import HTTP_PORT
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Image, Publisher, digest_of
from testbed.sandbox.cloud.tokens import fingerprint
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from testbed.waiting import wait_until
from tests.proxy.client import ADDRESS, Client
from tests.proxy.processes import stopped
from tests.proxy.traffic import published, statuses

LAYER = secrets.token_bytes(3_000_000)
BLOB = f"/v2/team/app/blobs/{digest_of(LAYER)}"
SLICES = secrets.token_bytes(10_000_000)
"""A layer of ten slices."""
SLOW = Behaviour(s3_bytes_per_second=200_000)
"""15 seconds for the first layer."""
ENDPOINT_SECONDS = 10
"""How long a stopping pod accepts clients before its workers finish their pulls."""


@pytest.fixture(scope="module")
def image(publisher: Publisher) -> Image:
    return publisher.image("team/app", "1.4", [LAYER, SLICES])


@pytest.fixture
def proxy(pod: Pod, image: Image) -> Pod:
    """A serving pod for one test; `image` is published."""
    assert image
    pod.start()
    return pod


@pytest.mark.rule("R41")
@pytest.mark.parametrize(
    "mistake", ["no_such_directive on;", "proxy_pass http://nowhere.invalid;", "events {", "load_module x.so;"]
)
def test_a_configuration_that_nginx_refuses_stops_in_the_init_container(pod: Pod, mistake: str) -> None:
    pod.configure(f"{pod.template(TEMPLATE_KEY)}\n{mistake}\n")
    checked = pod.check()
    assert checked.returncode != 0
    assert b"[emerg]" in checked.stderr
    with pytest.raises(RuntimeError, match="the init container ended with status 1"):
        pod.start()


def test_the_init_container_accepts_a_valid_configuration(pod: Pod) -> None:
    checked = pod.check()
    assert b"test is successful" in checked.stderr
    assert (checked.returncode, checked.stdout) == (0, b"")
    assert b"[warn]" not in checked.stderr


@pytest.mark.rule("R42")
def test_a_killed_nginx_starts_again_with_its_leftover_files(proxy: Pod, client: Client) -> None:
    proxy.kill()
    left = {file.name for file in (proxy.folder / "run").iterdir()}
    assert {"layers.sock", "ecr.sock"} <= left
    proxy.restart()
    assert digest_of(client.get(BLOB).body) == digest_of(LAYER)


@pytest.mark.rule("R42")
def test_a_restarted_container_keeps_the_configuration_of_its_rollout(proxy: Pod, client: Client) -> None:
    proxy.configure(proxy.template(TEMPLATE_KEY) + "\nno_such_directive on;\n")
    proxy.kill()
    proxy.restart()
    assert client.get("/-/ready").status == 200


@pytest.mark.rule("R42")
def test_a_restarted_container_and_a_reload_keep_the_njs_modules_of_their_rollout(
    proxy: Pod, client: Client, publisher: Publisher
) -> None:
    """An upgrade replaces the modules in place, also below pods whose configuration fits only the earlier ones."""
    (proxy.folder / "scripts" / "frontdoor.js").write_text("export default {};\n", encoding="utf-8")
    proxy.kill()
    proxy.restart()
    assert statuses(client, published(publisher)) == [200, 200]
    before = set(proxy.children)
    os.kill(proxy.pid, signal.SIGHUP)
    wait_until(lambda: not before & set(proxy.children), "the workers of before have ended")
    assert statuses(client, published(publisher)) == [200, 200]


@pytest.mark.rule("R11")
def test_a_token_refresh_does_not_interrupt_a_pull(proxy: Pod, client: Client, control: Control, world: World) -> None:
    old, new = control.issue_token(world.region), control.issue_token(world.region)
    proxy.give({world.ecr_host: old.authorization})
    moderate = Behaviour(s3_bytes_per_second=1_500_000)
    with control.behaving(moderate), closing(client.open("GET", BLOB)) as pull:
        time.sleep(0.5)
        proxy.give({world.ecr_host: new.authorization})
        control.expire_tokens(fingerprint(old.authorization))
        answer = client.read(pull)
    assert digest_of(answer.body) == digest_of(LAYER)
    assert client.get("/v2/team/app/tags/list").status == 200


def accepts_clients() -> bool:
    with suppress(ConnectionRefusedError), socket.create_connection((ADDRESS, HTTP_PORT)):
        return True
    return False


def assert_stops(proxy: Pod, hook: "subprocess.Popen[bytes]", *, within_seconds: float = 8) -> None:
    """The pod ends by itself, and its hook with it."""
    assert proxy.has_ended(within_seconds)
    hook.wait(5)


@pytest.mark.rule("R43")
def test_a_stopping_pod_accepts_clients_at_first_then_finishes_its_pulls_and_ends(
    proxy: Pod, client: Client, control: Control
) -> None:
    with control.behaving(SLOW), closing(client.open("GET", BLOB)) as pull:
        hook = proxy.pre_stop()
        time.sleep(5)
        assert client.get("/v2/").status == 200, "load balancers may still send new clients"
        time.sleep(7)
        assert client.get("/v2/").status == 200, "new clients are served while pulls are finished"
        assert not proxy.has_ended(within_seconds=0)
        answer = client.read(pull)
    assert (answer.status, digest_of(answer.body)) == (200, digest_of(LAYER))
    assert_stops(proxy, hook)


@pytest.mark.rule("R43")
def test_a_pull_is_finished_by_a_pod_without_a_free_processor(proxy: Pod, client: Client, control: Control) -> None:
    """The layer's next slices are fetched over the sockets between nginx's own servers."""
    digest = digest_of(SLICES)
    with control.behaving(SLOW), closing(client.open("GET", f"/v2/team/app/blobs/{digest}")) as pull:
        hook = proxy.pre_stop()
        time.sleep(ENDPOINT_SECONDS - 2)
        with stopped(proxy.pid):
            time.sleep(10)
        time.sleep(3)
        control.reset()
        answer = client.read(pull)
    assert (answer.status, digest_of(answer.body)) == (200, digest)
    assert_stops(proxy, hook)


@pytest.mark.rule("R43")
def test_a_pull_that_begins_while_earlier_ones_are_finished_is_finished_as_well(
    proxy: Pod, client: Client, control: Control
) -> None:
    """As of a client that a load balancer sent late. Later ones find no open port, and none of theirs is cut off."""
    digest = digest_of(SLICES)
    with control.behaving(SLOW), closing(client.open("GET", BLOB)) as first:
        hook = proxy.pre_stop()
        time.sleep(ENDPOINT_SECONDS + 2)
        with closing(client.open("GET", f"/v2/team/app/blobs/{digest}")) as second:
            assert client.read(first).complete
            wait_until(lambda: not accepts_clients(), "new clients are refused")
            control.reset()
            answer = client.read(second)
    assert (answer.status, digest_of(answer.body)) == (200, digest)
    assert_stops(proxy, hook)


@pytest.mark.rule("R43")
def test_clients_without_a_pull_do_not_keep_a_stopping_pod(proxy: Pod, client: Client) -> None:
    """Their connections stay open for two seconds after each request."""
    hook = proxy.pre_stop()
    with ExitStack() as stack, suppress(OSError):
        for _ in range(4 * (ENDPOINT_SECONDS + 12)):
            client.read(stack.enter_context(closing(client.open("GET", "/v2/"))))
            time.sleep(0.25)
    assert_stops(proxy, hook, within_seconds=1)


@pytest.mark.rule("R43")
@pytest.mark.parametrize("sent", [b"", b"GET /v2/ HTTP/1.1\r\nX-Slow: "], ids=["nothing", "a slow header"])
def test_connections_without_a_request_do_not_keep_a_stopping_pod(proxy: Pod, sent: bytes) -> None:
    """A client opens one each second. None is idle for nginx, which waits ten seconds for each header."""
    hook, opened = proxy.pre_stop(), list[socket.socket]()
    latest = time.monotonic() + ENDPOINT_SECONDS + 2 * 15
    with ExitStack() as stack:
        while not proxy.has_ended(within_seconds=1):
            assert time.monotonic() < latest, "the pod does not end"
            with suppress(OSError):
                opened.append(stack.enter_context(socket.create_connection((ADDRESS, HTTP_PORT))))
                opened[-1].sendall(sent)
            for connection in opened if sent else ():
                with suppress(OSError):
                    connection.sendall(b"x")
    assert len(opened) > ENDPOINT_SECONDS
    hook.wait(5)


@pytest.mark.rule("R42")
def test_a_container_that_is_started_again_after_its_stop_serves_clients(proxy: Pod, client: Client) -> None:
    """As the kubelet does with one whose liveness probe fails. Its hook may run twice."""
    for _ in range(2):
        first = proxy.pre_stop()
        time.sleep(1)
        second = proxy.pre_stop()
        assert proxy.has_ended(within_seconds=ENDPOINT_SECONDS + 15)
        first.wait(5)
        second.wait(5)
        proxy.restart()
        assert client.get("/v2/").status == 200


@pytest.mark.rule("R43")
def test_an_idle_connection_does_not_delay_the_stop(proxy: Pod, client: Client) -> None:
    with closing(client.open("GET", "/v2/")) as connection:
        client.read(connection)
        started = time.monotonic()
        proxy.stop()
        assert time.monotonic() - started < 5


@pytest.mark.rule("R43")
def test_a_pull_that_outlasts_the_drain_is_cut_off(
    pod: Pod, client: Client, control: Control, publisher: Publisher
) -> None:
    """A blob of one slice, since a next one could no longer be fetched."""
    digest = publisher.blob("team/app", secrets.token_bytes(1_000_000))
    template = pod.template(TEMPLATE_KEY)
    pod.configure(template.replace("{{ drain_seconds }}s", "2s"))
    pod.start()
    with control.behaving(SLOW), closing(client.open("GET", f"/v2/team/app/blobs/{digest}")) as pull:
        time.sleep(0.5)
        pod.stop()
        assert not client.read(pull).complete


def test_the_regular_expressions_are_compiled(proxy: Pod) -> None:
    """Machine code that is in no file."""
    rows = [row.split() for pid in proxy.children for row in Path(f"/proc/{pid}/maps").read_text().splitlines()]
    assert [row for row in rows if "x" in row[1] and row[4] == "0" and not row[-1].startswith("[")]


@pytest.mark.rule("R47")
@pytest.mark.parametrize(
    "listener", ["8080", "8081", "layers.sock", "pieces.sock", "answers.sock", "ecr.sock", "tags.sock", "circuit.sock"]
)
def test_hundreds_of_connections_wait_while_the_workers_are_busy(proxy: Pod, listener: str) -> None:
    """nginx's own queue has 511 places."""
    is_port = listener.isdigit()
    address = ("127.0.0.1", int(listener)) if is_port else str(proxy.folder / "run" / listener)
    with stopped(*proxy.children), ExitStack() as stack:
        for number in range(800):
            client = stack.enter_context(socket.socket(socket.AF_INET if is_port else socket.AF_UNIX))
            client.settimeout(0.5)
            assert client.connect_ex(address) == 0, f"{number} connections wait"
