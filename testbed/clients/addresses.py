"""Network namespaces for clients, each with an address of its own, on a bridge to the sandbox's network."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from ipaddress import ip_network
from pathlib import Path

from testbed.sandbox.commands import run

_BRIDGE = "clients0"
_GATEWAY, *_CLIENTS = map(str, ip_network("203.0.113.0/24").hosts())
"""TEST-NET-3 (https://www.rfc-editor.org/rfc/rfc5737): the sandbox itself has addresses of TEST-NET-1."""
GATEWAY = _GATEWAY
"""Where clients reach what listens in the sandbox."""


@contextmanager
def addresses(number: int) -> Iterator[Mapping[str, Path]]:
    """Addresses of clients, at most 253, and the network namespace of each. Call it inside the sandbox.

    Raises:
        SandboxError: A device or a namespace is refused.
    """
    with ExitStack() as undo:
        run(("ip", "link", "add", _BRIDGE, "type", "bridge"))
        undo.callback(run, ("ip", "link", "delete", _BRIDGE))
        run(("ip", "address", "add", f"{GATEWAY}/24", "dev", _BRIDGE))
        run(("ip", "link", "set", _BRIDGE, "up"))
        yield {address: _namespace(undo, address) for address in _CLIENTS[:number]}


def _namespace(undo: ExitStack, address: str) -> Path:
    name = f"client-{address}"
    outside = f"client{address.rpartition('.')[2]}"
    run(("ip", "netns", "add", name))
    undo.callback(run, ("ip", "netns", "delete", name))
    pair = ("type", "veth", "peer", "name", "eth0", "netns", name)
    run(("ip", "link", "add", outside, "master", _BRIDGE, *pair))
    run(("ip", "link", "set", outside, "up"))
    for command in (("link", "set", "lo", "up"), ("address", "add", f"{address}/24", "dev", "eth0")):
        run(("ip", "-netns", name, *command))
    run(("ip", "-netns", name, "link", "set", "eth0", "up"))
    return Path("/run/netns") / name
