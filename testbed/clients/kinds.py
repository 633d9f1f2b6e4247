"""All the clients."""

from collections.abc import Sequence

from testbed.clients.client import Client
from testbed.clients.containerd import Containerd
from testbed.clients.copying import Crane, Oras, Regctl, Skopeo
from testbed.clients.docker import Docker
from testbed.clients.podman import Podman

KINDS: Sequence[type[Client]] = (Docker, Containerd, Podman, Skopeo, Crane, Oras, Regctl)
"""Those that read what another client has left in the cache."""

WARMING = ("docker", "containerd", "podman", "crane")
"""Names of those that fill the cache: what people and nodes pull with."""

OWN_PLATFORM = ("docker", "podman", "skopeo")
"""Names of those that pull only this machine's platform of an index. `ctr` pulls more, and the others all of it."""
