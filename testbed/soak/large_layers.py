"""Two of ECR's largest layers, cold and side by side through one pod of the real node, beside ordinary clients.

`python -m testbed.soak.large_layers`, inside the sandbox. The pod has the charts' memory limit, at which the kernel
kills. The layers are larger than its cache and the machine's memory: their bytes are generated, and each client hashes
what it receives.
"""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from threading import Thread

from testbed.sandbox import installation
from testbed.sandbox.progress import step
from testbed.sandbox.world import World
from testbed.soak import command, front_door
from testbed.soak import pods as node
from testbed.soak.front_door import Layers
from testbed.soak.loads import Load, finish, running
from testbed.soak.pods import Memory
from testbed.soak.pull import Pull
from testbed.soak.samples import GIB, MIB, Samples

LARGEST_LAYER_MIB = 52_000
"""The quota of ECR."""
S3_BYTES_PER_SECOND = 50_000_000
ORDINARY_CLIENTS = 200
ORDINARY_LAYERS, ORDINARY_LAYER_BYTES = 40, 2 * MIB
PAUSE_MS = 4000
LONGEST_SECONDS = 2 * 3600


def main() -> int:
    """Run; returns 1 when a layer is not whole, a process is killed, a volume passes its limit or a client fails."""
    parser = command.parser("testbed.soak.large_layers", __doc__)
    parser.add_argument("--mib", type=int, default=LARGEST_LAYER_MIB, help="size of each layer [%(default)s]")
    parser.add_argument("--layers", type=int, default=2, help="how many, side by side [%(default)s]")
    parser.add_argument("--memory-limit", default="", metavar="QUANTITY", help="of the container [the charts']")
    parser.add_argument("--cache-gib", type=int, default=8, help="size of the cache [%(default)s, the charts']")
    arguments = parser.parse_args()
    sizes = (arguments.mib,) * arguments.layers
    return command.status(
        lambda: run(World.current(), sizes, arguments.memory_limit, arguments.cache_gib), arguments.json
    )


def run(world: World, mib: Sequence[int], memory_limit: str, cache_gib: int) -> dict[str, object]:
    """Install, pull, and watch; returns the figures.

    Raises:
        SandboxError: The front door cannot be installed.
    """
    front_door.install(world, cache_gib, memory_limit)
    with front_door.serving_layers(world) as layers:
        layers.server.set_rate(S3_BYTES_PER_SECOND)
        pulls, ordinary = _published(layers, mib)
        return _watched(world, layers, pulls, ordinary)


def _published(layers: Layers, mib: Sequence[int]) -> tuple[Sequence[Pull], Load]:
    with step(f"hashing layers of {', '.join(map(str, mib))} MiB"):
        pulls = [Pull(layers.path(size * MIB)) for size in mib]
    small = [layers.path(ORDINARY_LAYER_BYTES) for _ in range(ORDINARY_LAYERS)]
    return pulls, Load("ordinary clients", small, ORDINARY_CLIENTS, {"PAUSE_MS": str(PAUSE_MS)})


def _watched(world: World, layers: Layers, pulls: Sequence[Pull], ordinary: Load) -> dict[str, object]:
    pod, *_ = installation.proxy_pod_objects(world)
    address, memory = pod["status"]["podIP"], Memory.of(world, pod)
    samples = Samples(idle_bytes=memory.unevictable_bytes(), volumes=dict.fromkeys(node.volumes(world, [pod]), 0))
    before, counted = installation.proxy_pods(world), layers.server.counts()
    title = f"pulling {len(pulls)} cold layers beside {ORDINARY_CLIENTS} ordinary clients"
    with step(title), running([ordinary], [address], LONGEST_SECONDS) as ((_, clients),):
        _sample(samples, memory, pulls, address)
        served = finish(clients)
    sent, after, kills = layers.server.counts() - counted, installation.proxy_pods(world), memory.kills()
    figures: dict[str, object] = {
        "layers": [
            {"bytes": pull.received_bytes, "seconds": pull.seconds, "whole": pull.is_whole, "error": pull.error}
            for pull in pulls
        ],
        "s3_bytes_ratio": sent.bytes / sum(pull.received_bytes for pull in pulls),
        "memory": {"limit_bytes": node.memory_limit_bytes(pod), "kills": kills, **samples.memory_figures()},
        "volumes": node.volume_figures(samples.volumes),
        "ordinary_clients": asdict(served),
        "pods": {"before": before, "after": after},
        "holds": before == after
        and not kills
        and not served.errors
        and all(pull.is_whole for pull in pulls)
        and node.hold(samples.volumes),
    }
    command.show(figures)
    return figures


def _sample(samples: Samples, memory: Memory, pulls: Sequence[Pull], address: str) -> None:
    """Pull, and look at memory and volumes until the pulls have ended."""
    threads = [Thread(target=pull.run, args=(address,), daemon=True) for pull in pulls]
    for thread in threads:
        thread.start()

    def shown() -> str:
        received, held = samples.memory[-1]
        return f"{received / GIB:.1f} GiB received, {held / MIB:.0f} MiB of memory"

    command.watch(
        lambda: any(thread.is_alive() for thread in threads),
        lambda: samples.take(sum(pull.received_bytes for pull in pulls), memory),
        shown,
    )


if __name__ == "__main__":
    sys.exit(main())
