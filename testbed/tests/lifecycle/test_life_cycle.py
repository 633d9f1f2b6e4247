import os
import signal
import subprocess

import pytest

from testbed.sandbox import lifecycle
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.init_process import InitProcess
from testbed.sandbox.world import World
from testbed.tests.lifecycle.cli import call, started
from testbed.tests.lifecycle.machine import Snapshot, cgroups_of, namespace_of, processes_in, processes_of, programs_in
from testbed.waiting import eventually

START_A_POD = """\
set -e
cd "$FRONTDOOR_SANDBOX"
ctr --address run/containerd.sock --namespace k8s.io images import images/app.tar
kubectl run app --image={image} --image-pull-policy=Never
kubectl expose pod app --port=80 --target-port=8080
kubectl wait --for=condition=Ready pod/app --timeout=60s
kubectl logs app
"""

ENDLESS = ("sh", "-c", "echo begun; exec sleep 1000")
TRAPPING = ("sh", "-c", "trap 'exit 5' TERM; echo begun; while :; do sleep 0.1; done")
A_WHOLE_NODE = 10
"""Processes; fewer would mean that nothing was there to be ended."""


def start_a_pod(world: World) -> subprocess.CompletedProcess[str]:
    return call(world, "run", "--", "sh", "-c", START_A_POD.format(image=world.app_image))


def assert_nothing_is_left(world: World) -> None:
    assert processes_of(world) == []
    assert cgroups_of(world) == []
    assert not world.state.exists()


@pytest.fixture
def untouched(world: World) -> Snapshot:  # noqa: ARG001 - the snapshot is of the machine without it
    return Snapshot.take()


def test_up_is_idempotent_and_down_leaves_the_machine_as_it_was(world: World, untouched: Snapshot) -> None:
    assert call(world, "up").returncode == 0
    init = InitProcess.recorded(world)
    again = call(world, "up")
    assert (again.returncode, InitProcess.recorded(world)) == (0, init)
    assert "up already" in again.stderr
    pod = start_a_pod(world)
    assert "team/app 1.4 is running" in pod.stdout, pod.stderr
    assert len(cgroups_of(world)) >= 1
    namespace = namespace_of(world)
    assert len(processes_in(namespace)) >= A_WHOLE_NODE

    assert call(world, "down").returncode == 0

    assert eventually(lambda: not processes_in(namespace)), processes_of(world)
    assert_nothing_is_left(world)
    assert Snapshot.take() == untouched


def test_up_replaces_the_remains_of_a_killed_sandbox(world: World, untouched: Snapshot) -> None:
    assert call(world, "up").returncode == 0
    assert start_a_pod(world).returncode == 0
    killed, namespace = InitProcess.recorded(world), namespace_of(world)
    assert killed is not None

    for end, status in ((subprocess.Popen.terminate, 128 + signal.SIGTERM), (subprocess.Popen.kill, -signal.SIGKILL)):
        with started(world, "run", "--", *ENDLESS) as running:
            assert eventually(lambda: "sleep" in programs_in(namespace)), "its shell never became it"
            end(running)
            assert running.wait(timeout=30) == status
            assert eventually(lambda: "sleep" not in programs_in(namespace)), "a command outlives its `run`"
    os.kill(killed.pid, signal.SIGKILL)
    assert eventually(lambda: not processes_in(namespace)), processes_of(world)
    assert processes_of(world) == []
    assert call(world, "status").returncode == 3

    assert call(world, "up").returncode == 0

    pods = call(world, "run", "--", "kubectl", "get", "pods", "--output=name")
    assert (pods.returncode, pods.stdout) == (0, "")
    lifecycle.down(world)
    assert_nothing_is_left(world)
    assert Snapshot.take() == untouched


def test_run_brings_a_sandbox_up_and_takes_it_down(world: World, untouched: Snapshot) -> None:
    done = call(world, "run", "--", "sh", "-c", "kubectl get nodes --output=name; exit 7")

    assert (done.returncode, done.stdout) == (7, f"node/{world.node}\n"), done.stderr
    assert_nothing_is_left(world)
    assert Snapshot.take() == untouched


def test_a_run_without_kubernetes_starts_only_dns_and_the_double_and_refuses_a_run_that_needs_more(
    world: World, untouched: Snapshot
) -> None:
    with started(world, "run", "--without-kubernetes", "--", *TRAPPING) as running:
        parts = {path.stem for path in world.logs.iterdir()}
        needs_less = call(world, "run", "--without-kubernetes", "--", "sh", "-c", "exit 7")
        needs_more = call(world, "run", "--", "sh", "-c", "exit 7")
        running.terminate()
        assert running.wait(timeout=30) == 5

    assert parts == {"supervisor", "dnsmasq", "cloud"}
    assert needs_less.returncode == 7
    assert needs_more.returncode == 1
    assert str(world.state) in needs_more.stderr
    assert_nothing_is_left(world)
    assert Snapshot.take() == untouched


def test_run_that_is_terminated_lets_its_command_finish_and_takes_the_sandbox_down(world: World) -> None:
    with started(world, "run", "--", *TRAPPING) as running:
        namespace = namespace_of(world)

        running.terminate()

        assert running.wait(timeout=30) == 5, "the command has had the signal, and chosen its own status"
    assert eventually(lambda: not processes_in(namespace)), processes_of(world)
    assert_nothing_is_left(world)


def test_a_killed_run_ends_every_process(world: World) -> None:
    with started(world, "run", "--", *ENDLESS) as running:
        namespace = namespace_of(world)
        assert len(processes_in(namespace)) >= A_WHOLE_NODE

        running.kill()

        assert eventually(lambda: not processes_in(namespace)), processes_of(world)
    assert call(world, "down").returncode == 0
    assert_nothing_is_left(world)


def test_down_leaves_a_folder_alone_that_is_not_a_sandbox(world: World) -> None:
    world.state.mkdir()
    (world.state / "letters").touch()
    try:
        with pytest.raises(SandboxError, match="is not a sandbox's folder"):
            lifecycle.down(world)
        assert (world.state / "letters").exists()
    finally:
        (world.state / "letters").unlink()
        world.state.rmdir()
