"""Up, down and status of one sandbox, from outside."""

import json
import shutil
from collections.abc import Callable
from typing import IO

from testbed.sandbox import access, cgroups, control_plane, hosts, image, namespaces, node, pki, setup, storage, tools
from testbed.sandbox.errors import SandboxError, last_lines
from testbed.sandbox.init_process import InitProcess
from testbed.sandbox.lock import lock
from testbed.sandbox.progress import step
from testbed.sandbox.world import World

MARKER = "ecr-frontdoor-sandbox"
"""A file that marks a state folder, so that `down` never removes another folder."""

COMPLETE = "complete"
"""A file that exists once every part is ready."""

WITHOUT_KUBERNETES = "without-kubernetes"
"""A file that exists in a sandbox without control plane and node."""


def up(world: World, *, kubernetes: bool = True, ends_with_caller: bool = False) -> bool:
    """Bring the sandbox up unless it is up; the remains of a crash are removed first.

    Args:
        world: Which one.
        kubernetes: Whether control plane and node are needed. A sandbox that has them serves both.
        ends_with_caller: The sandbox ends with this process, even after SIGKILL.

    Returns:
        Whether this call brought it up.

    Raises:
        SandboxError: A part did not start; everything is removed again. Or the sandbox is up, but without Kubernetes.
    """
    setup.require_this_machine()
    with lock(world.state):
        if is_up(world):
            _require(world, kubernetes=kubernetes)
            return False
        setup.setup(world)
        _remove(world)
        try:
            with step("making certificates, configuration and images"):
                _prepare(world)
            with step("starting the sandbox") as detail:
                _start(world, detail, kubernetes=kubernetes, ends_with_caller=ends_with_caller)
        except BaseException:
            _remove(world)
            raise
    return True


def down(world: World) -> bool:
    """End the sandbox and remove everything but the cache; returns whether there was anything to remove."""
    setup.require_this_machine()
    with lock(world.state):
        there_was_one = world.state.exists()
        _remove(world)
    return there_was_one


def is_up(world: World) -> bool:
    """The sandbox runs, and every part was ready."""
    return _is_alive(world) and (world.state / COMPLETE).exists()


def _require(world: World, *, kubernetes: bool) -> None:
    if kubernetes and (world.state / WITHOUT_KUBERNETES).exists():
        raise SandboxError(
            f"the sandbox in {world.state} is up without Kubernetes, for a `run --without-kubernetes`. "
            "Fix: wait until that command has ended, or name another folder with --state"
        )


def _is_alive(world: World) -> bool:
    init = InitProcess.recorded(world)
    return init is not None and init.is_alive()


def _prepare(world: World) -> None:
    """Write everything the parts read. Starts nothing."""
    world.state.mkdir(parents=True, mode=0o755)
    (world.state / MARKER).touch()
    for folder in (world.run, world.logs, world.authenticator):
        folder.mkdir()
    hosts.create(world)
    pki.create(world)
    access.create(world)
    configuration = control_plane.authenticator_configuration(world)
    (world.authenticator / "config.yaml").write_text(json.dumps(configuration))
    for path, content in node.files(world, storage.snapshotter(world.state)).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    image.create(world)
    cgroups.create(world.cgroup)


def _start(world: World, detail: Callable[[str], None], *, kubernetes: bool, ends_with_caller: bool) -> None:
    if not kubernetes:
        (world.state / WITHOUT_KUBERNETES).touch()
    folder = tools.folder(world.cache)
    process = namespaces.start(world, folder, kubernetes=kubernetes, ends_with_caller=ends_with_caller)
    try:
        with process.stdout as reports:  # type: ignore[union-attr] # it is a pipe: see namespaces.start
            _follow(world, reports, detail)
    except BaseException:
        process.kill()
        process.wait()
        raise
    (world.state / COMPLETE).touch()


def _follow(world: World, reports: IO[str], detail: Callable[[str], None]) -> None:
    """Read the supervisor's reports until everything is up."""
    for line in reports:
        report = json.loads(line)
        if "error" in report:
            raise SandboxError(report["error"])
        if "up" in report:
            return
        detail(f"waiting for {report['part']}")
    raise SandboxError(f"the supervisor has ended:\n{last_lines(world.logs / 'supervisor.log')}")


def _remove(world: World) -> None:
    """End the processes and remove the folder, if they exist."""
    if not world.state.exists():
        return
    if not (world.state / MARKER).exists() and any(world.state.iterdir()):
        raise SandboxError(f"{world.state} is not a sandbox's folder: {MARKER} is not in it. Remove it, or use --state")
    if init := InitProcess.recorded(world):
        init.end()
    cgroups.remove(world.cgroup)
    shutil.rmtree(world.state)
