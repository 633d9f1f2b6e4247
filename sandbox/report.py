"""What the user is told of a sandbox that is up."""

from sandbox.world import World


def instructions(world: World) -> str:
    """How to use it."""
    option = "" if world.state == World().state else f"--state {world.state} "
    command = f"python -m sandbox {option}"
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


def status(world: World) -> str:
    """That it is up, and what is not as it should be."""
    log = (world.logs / "supervisor.log").read_text().strip()
    trouble = f"\nParts that have ended:\n{log}" if log else ""
    return f"up\n{instructions(world)}{trouble}"
