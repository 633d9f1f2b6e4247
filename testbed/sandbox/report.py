"""Texts for the user of a running sandbox."""

from pathlib import Path

from testbed.sandbox.interpreter import PYTHON
from testbed.sandbox.world import World


def instructions(world: World) -> str:
    """How to use it."""
    command = _command(world)
    return f"""\
The sandbox is up. Everything of it is reachable from inside only:
    {command}shell                     a shell with kubectl, crane, skopeo
    {command}run -- kubectl get pods -A
    {command}down
KUBECONFIG inside  {world.kubeconfig}
public domain      {world.domain}
private registry   {world.ecr_host}
CA certificate     {world.ca.certificate}
logs               {world.logs}/"""


def pulling(world: World) -> str:
    """How to pull from the front door, once it is installed."""
    image = f"{world.domain}/{world.app_repository}:{world.app_tag}"
    return f"pull, anonymously  {_command(world)}run -- crane pull {image} app.tar"


def status(world: World) -> str:
    """That it is up, and which parts have ended."""
    log = (world.logs / "supervisor.log").read_text().strip()
    ended = f"\nParts that have ended:\n{log}" if log else ""
    return f"up\n{instructions(world)}{ended}"


def _command(world: World) -> str:
    """The command to copy, with the interpreter that runs this: it need not be on the reader's PATH."""
    shown = PYTHON.relative_to(Path.cwd()) if PYTHON.is_relative_to(Path.cwd()) else PYTHON
    option = "" if world.state == World().state else f"--state {world.state} "
    return f"{shown} -m testbed.sandbox {option}"
