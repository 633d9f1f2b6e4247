"""The sandbox's PID, mount and network namespaces, from outside: started, entered, ended."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from testbed.sandbox import entry
from testbed.sandbox.init_process import InitProcess
from testbed.sandbox.interpreter import PYTHON
from testbed.sandbox.world import World


def start(world: World, tools: Path, *, kubernetes: bool, ends_with_caller: bool) -> subprocess.Popen[str]:
    """Start the supervisor as PID 1 of new namespaces. `testbed.sandbox.supervisor` documents its output.

    Args:
        world: Its state folder must be ready.
        tools: The folder of the Go programs.
        kubernetes: Start the control plane and the node as well, not only DNS and the double of AWS.
        ends_with_caller: The sandbox ends with this process, even after SIGKILL.
    """
    parent_death = ("setpriv", "--pdeathsig", "KILL") if ends_with_caller else ()
    supervisor = (
        str(PYTHON), "-m", "testbed.sandbox.supervisor",
        "--state", str(world.state), "--cache", str(world.cache), "--tools", str(tools),
        *(() if kubernetes else ("--without-kubernetes",)),
    )  # fmt: skip
    world.logs.mkdir(parents=True, exist_ok=True)
    with (world.logs / "supervisor.log").open("ab") as log:
        return subprocess.Popen(
            (*parent_death, "unshare", "--pid", "--mount", "--net", "--fork", "--kill-child", *supervisor),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
            cwd=Path(__file__).parents[2],
            env=environment_inside(world, tools),
        )


def command_inside(init: InitProcess, command: Sequence[str]) -> Sequence[str]:
    """The command line that runs `command` inside, in the same working directory.

    It is killed when its caller is. It has to be started with the signals of `entry.HELD` blocked.
    """
    return (
        "setpriv", "--pdeathsig", "KILL",
        str(PYTHON), "-I", str(Path(entry.__file__).absolute()), str(init.pid), str(Path.cwd()), *command,
    )  # fmt: skip


def environment_inside(world: World, tools: Path) -> Mapping[str, str]:
    """The environment of what runs inside: the caller's, with the sandbox's tools, cluster and CA.

    Proxies are not reachable inside, and the caller's AWS account must not be used: both are removed.
    """
    paths = (str(tools), str(PYTHON.parent), os.environ.get("PATH", ""), "/usr/sbin:/sbin")
    ca = str(world.ca.certificate)
    return {
        **{name: value for name, value in os.environ.items() if not _stays_outside(name)},
        "PATH": ":".join(paths),
        "FRONTDOOR_SANDBOX": str(world.state),
        "KUBECONFIG": str(world.kubeconfig),
        "SSL_CERT_FILE": ca,
        "AWS_CA_BUNDLE": ca,
        "CURL_CA_BUNDLE": ca,
        "REQUESTS_CA_BUNDLE": ca,
        "NODE_EXTRA_CA_CERTS": ca,
    }


def _stays_outside(variable: str) -> bool:
    return variable.startswith("AWS_") or variable.lower().endswith("_proxy")
