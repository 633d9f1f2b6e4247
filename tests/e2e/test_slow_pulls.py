"""Twenty real clients pull slowly during a refresh, a rollout, and the loss of a replica."""

import os
import ssl
import uuid
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import httpx2
import pytest

from testbed.sandbox import installation, pulls
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.commands import run
from testbed.sandbox.kubectl import kubectl_json
from testbed.sandbox.world import World
from testbed.waiting import wait_until
from tests.e2e.slow_pulls import KINDS, Containerd, Crane, Layer, Skopeo, SlowPull, running

pytestmark = pytest.mark.usefixtures("installed")

COLD_BYTES = 10 << 20
WARM_BYTES = 24 << 20
"""More than the buffers between nginx and a client hold, so that nginx sends it as slowly as the client reads."""
STARTED_BYTES = 2 << 20
FAST = Behaviour(s3_bytes_per_second=1_000_000)
SLOW = Behaviour(s3_bytes_per_second=8_000)
"""A layer takes minutes from here on: no pull ends before it is released."""
DEADLINE_SECONDS = 90
HTTPS_PORT = 8443
ESTABLISHED = "01"
"""In /proc/net/tcp: https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html"""


@pytest.fixture
def slow_pulls(world: World, control: Control, tmp_path: Path) -> Iterator[list[SlowPull]]:
    """Twenty clients in the middle of a layer, which S3 sends slowly from now on."""
    push = Pusher(world, control)
    warm = push.layer(WARM_BYTES)
    for pod in installation.proxy_pods(world):
        pulls.fetch_from_pod(world, pod, f"v2/{world.app_repository}/blobs/{warm.digest}")
    cold = iter([push.layer(COLD_BYTES) for kind in KINDS if kind is not Crane])
    control.set(FAST)
    with running(world, {Containerd: cold, Skopeo: cold, Crane: repeat(warm)}, tmp_path) as found:
        wait_until(
            lambda: all(pull.received_bytes() >= least(pull) for pull in found),
            "every client receives",
            seconds=DEADLINE_SECONDS,
        )
        control.set(SLOW)
        yield found


def least(pull: SlowPull) -> int:
    return 1 if isinstance(pull, Crane) else STARTED_BYTES


class Pusher:
    """Pushes layers that no client has pulled yet, each as an image."""

    def __init__(self, world: World, control: Control) -> None:
        self._world = world
        self._authorization = control.issue_token(world.region).authorization
        self._trust = ssl.create_default_context(cafile=str(world.ca.certificate))

    def layer(self, size_bytes: int) -> Layer:
        tag = f"slow-{uuid.uuid4().hex[:8]}"
        repository = self._world.app_repository
        with httpx2.Client(verify=self._trust) as client:
            publisher = Publisher(client, self._world.ecr_host, self._authorization)
            (digest,) = publisher.image(repository, tag, [os.urandom(size_bytes)]).layers
        return Layer(f"{self._world.domain}/{repository}:{tag}", digest)


def test_a_refresh_a_rollout_and_a_deleted_pod_break_no_pull(
    world: World, control: Control, slow_pulls: list[SlowPull]
) -> None:
    before = installation.proxy_pods(world)
    invocation = installation.refresh(world, {})
    assert invocation.payload["changed"] == ["Secret aws-registry"], invocation.log
    run(("kubectl", "delete", "pod", min(before), f"--namespace={world.namespace}", "--wait=false"))
    invocation = installation.refresh(world, {"force_rollout": True})
    assert invocation.payload["rolled_out"], invocation.log
    assert not set(before) & set(installation.proxy_pods(world))
    assert [str(pull) for pull in slow_pulls if not pull.is_running] == []
    finish(control, slow_pulls)
    assert [str(pull) for pull in slow_pulls if was_broken(pull)] == []


def test_after_a_killed_pod_every_pull_succeeds_with_a_retry(
    world: World, control: Control, slow_pulls: list[SlowPull]
) -> None:
    before = installation.proxy_pods(world)
    killed = max(before, key=lambda pod: connections(world, pod))
    kill(world, killed)
    finish(control, slow_pulls)
    broken = [str(pull) for pull in slow_pulls if was_broken(pull)]
    assert 0 < len(broken) < len(slow_pulls), f"one pod of two was killed; broken pulls: {broken}"
    wait_until(
        lambda: installation.proxy_pods(world)[killed] > before[killed],
        "the container restarts",
        seconds=DEADLINE_SECONDS,
    )
    ready = ("--for=condition=Ready", f"pod/{killed}", "--timeout=60s")
    run(("kubectl", "wait", f"--namespace={world.namespace}", *ready))


def was_broken(pull: SlowPull) -> bool:
    return pull.starts > 1 or pull.resumed() > 0


def container(world: World, pod: str) -> str:
    """The id of a pod's nginx container in containerd."""
    status = kubectl_json("get", "pod", pod, f"--namespace={world.namespace}")["status"]
    (found,) = status["containerStatuses"]
    return str(found["containerID"]).removeprefix("containerd://")


def ctr(world: World, *arguments: str) -> str:
    return run(("ctr", f"--address={world.containerd_socket}", "--namespace=k8s.io", *arguments))


def connections(world: World, pod: str) -> int:
    """How many clients are connected to nginx in a pod."""
    (process,) = (
        line.split()[1] for line in ctr(world, "task", "ls").splitlines() if line.startswith(container(world, pod))
    )
    lines = Path(f"/proc/{process}/net/tcp").read_text().splitlines()[1:]
    return sum(line.split()[1].endswith(f":{HTTPS_PORT:04X}") and line.split()[3] == ESTABLISHED for line in lines)


def kill(world: World, pod: str) -> None:
    """Send SIGKILL to every nginx process of a pod, as the kernel does when memory runs out."""
    ctr(world, "task", "kill", "--signal=SIGKILL", container(world, pod))


def finish(control: Control, found: list[SlowPull]) -> None:
    control.reset()
    for pull in found:
        pull.released.set()
    for pull in found:
        assert pull.finish(DEADLINE_SECONDS) == pull.layer.digest, str(pull)
