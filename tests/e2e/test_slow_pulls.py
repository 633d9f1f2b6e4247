"""Twenty real clients pull slowly during a refresh, a rollout, and the loss of a replica."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.sandbox import installation
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.commands import run
from testbed.sandbox.kubectl import kubectl_json
from testbed.sandbox.world import World
from testbed.waiting import wait_until
from tests.e2e.slow_pulls import DEADLINE_SECONDS, SlowPull, finish, in_the_middle, was_broken

pytestmark = pytest.mark.usefixtures("installed")

HTTPS_PORT = 8443
ESTABLISHED = "01"
"""In /proc/net/tcp: https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html"""


@pytest.fixture
def slow_pulls(world: World, control: Control, tmp_path: Path) -> Iterator[list[SlowPull]]:
    with in_the_middle(world, control, tmp_path) as found:
        yield found


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
