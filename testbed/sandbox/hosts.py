"""The private hosts file: what every name resolves to, inside and, by dnsmasq, in the pods."""

import contextlib
import os
import signal
from collections.abc import Iterator, Mapping, Sequence

from testbed.sandbox.world import World


def create(world: World) -> None:
    """Write the files that become /etc/hosts and /etc/resolv.conf."""
    world.hosts_file.parent.mkdir(parents=True, exist_ok=True)
    world.hosts_file.write_text(rendered(world.names))
    world.resolver_file.write_text(f"nameserver {world.dns_address}\n")


def point_domain(world: World, address: str) -> None:
    """Resolve the public domain, and the name it may move to, to `address`, on the node and in pods.

    Call it inside the sandbox.
    """
    point(world, {address: (world.domain, world.new_domain)})


def point(world: World, elsewhere: Mapping[str, Sequence[str]]) -> None:
    """Resolve names to other addresses than their own; every other name to its own. Call it inside the sandbox."""
    _replace(world, _moved(world.names, elsewhere))


@contextlib.contextmanager
def pointed(world: World, elsewhere: Mapping[str, Sequence[str]]) -> Iterator[None]:
    """As `point`, until the block ends; what was pointed elsewhere before stays so."""
    before = world.hosts_file.read_text()
    lines = (line.split() for line in before.splitlines())
    _replace(world, _moved({address: names for address, *names in lines}, elsewhere))
    try:
        yield
    finally:
        _replace(world, before)


@contextlib.contextmanager
def without(world: World, names: Sequence[str]) -> Iterator[None]:
    """Let these names not exist, until the block ends."""
    before = world.hosts_file.read_text()
    lines = (line.split() for line in before.splitlines())
    _replace(world, rendered({address: [name for name in known if name not in names] for address, *known in lines}))
    try:
        yield
    finally:
        _replace(world, before)


def _moved(names: Mapping[str, Sequence[str]], elsewhere: Mapping[str, Sequence[str]]) -> str:
    """The hosts file of the names, with some of them at other addresses."""
    moved = {name for hosts in elsewhere.values() for name in hosts}
    unchanged = {address: [name for name in hosts if name not in moved] for address, hosts in names.items()}
    return rendered({**unchanged, **elsewhere})


def _replace(world: World, text: str) -> None:
    world.hosts_file.write_text(text)  # in place: it is a bind mount
    with contextlib.suppress(FileNotFoundError):
        os.kill(int(world.dns_pid_file.read_text()), signal.SIGHUP)


def rendered(names: Mapping[str, Sequence[str]]) -> str:
    """A hosts file, one line an address."""
    return "".join(f"{address}\t{' '.join(hosts)}\n" for address, hosts in names.items() if hosts)
