"""New blobs, then all kinds of load, at the full rate of the machine, on the real node: no volume may pass its limit.

`python -m testbed.soak.volumes`, inside the sandbox. The kubelet evicts a pod whose volume passes its limit, without
its drain. Sizes are what `du` counts, as the kubelet does, twice a second. New blobs come alone first, as fast as
possible: other loads take the processors of them.
"""

import json
import ssl
import sys
from collections.abc import Iterator, Sequence

import httpx2

from testbed.bench import wrk
from testbed.sandbox import installation
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.progress import step
from testbed.sandbox.world import World
from testbed.soak import command, front_door, hot_blob
from testbed.soak import pods as node
from testbed.soak.front_door import REPOSITORY, Layers
from testbed.soak.hot_blob import HotBlob
from testbed.soak.loads import Load, running
from testbed.soak.pods import Volume

MIB = 1 << 20
LAYERS = 24
LAYER_BYTES = 256 * MIB
"""All layers together are six times the cache, so nearly every slice comes from S3 and another one is evicted."""
HOT_BYTES = 16 * MIB
MANIFESTS = 40
MANIFEST_BYTES = 900_000
CACHE_GIB = 1
MEMORY_LIMIT = "4Gi"
"""Page cache counts to the limit of a container: with the charts', the disk would set the rate."""


def main() -> int:
    """Run; returns 1 when a volume passes its limit, a pod does not survive, or what is used most is evicted."""
    parser = command.parser("testbed.soak.volumes", __doc__)
    parser.add_argument("--seconds", type=int, default=180, help="how long each of two loads lasts [%(default)s]")
    arguments = parser.parse_args()
    return command.status(lambda: run(World.current(), arguments.seconds), arguments.json)


def run(world: World, seconds: int) -> dict[str, object]:
    """Install, load, and watch; returns the figures.

    Raises:
        SandboxError: The front door cannot be installed.
    """
    front_door.install(world, CACHE_GIB, MEMORY_LIMIT)
    with front_door.serving_layers(world) as layers:
        blobs, others = _loads(world, layers)
        hot = HotBlob(layers.path(HOT_BYTES), layers.server)
        before, pods = installation.proxy_pods(world), installation.proxy_pod_objects(world)
        addresses = [str(pod["status"]["podIP"]) for pod in pods]
        hot.warm(addresses)
        loaded = [
            _loaded(loads, hot, dict.fromkeys(node.volumes(world, pods), 0), addresses, seconds)
            for loads in (blobs, [*blobs, *others])
        ]
    after = installation.proxy_pods(world)
    holds = before == after and all(one["holds"] for one in loaded)
    figures = {"seconds": seconds, "loads": loaded, "pods": {"before": before, "after": after}, "holds": holds}
    command.show(figures)
    return figures


def _loads(world: World, layers: Layers) -> tuple[list[Load], list[Load]]:
    """Those of blobs, and the others."""
    with step(f"making {LAYERS} layers of {LAYER_BYTES // MIB} MiB and {MANIFESTS} manifests"):
        paths = [layers.path(LAYER_BYTES) for _ in range(LAYERS)]
        manifests = [f"/v2/{REPOSITORY}/manifests/{digest}" for digest in _pushed_manifests(world, layers.control)]
    return [
        Load("whole pulls", paths, 8, {}),
        Load("one-byte ranges", paths, 8, {"RANGE_BYTES": str(LAYER_BYTES)}),
    ], [
        Load("large manifests", manifests, 4, {}),
        Load("any Accept on one tag", [f"/v2/{REPOSITORY}/manifests/0"], 4, {"VARY": "yes"}),
    ]


def _pushed_manifests(world: World, control: Control) -> Iterator[str]:
    """Push manifests just below what nginx caches at most; the first one has the tag 0."""
    token = control.issue_token(world.region).authorization
    with httpx2.Client(verify=ssl.create_default_context(cafile=str(world.ca.certificate))) as client:
        publisher = Publisher(client, world.ecr_host, token)
        manifest = json.loads(publisher.image(REPOSITORY, "small", [b"layer"]).manifest)
        for number in range(MANIFESTS):
            padded = manifest | {"annotations": {"number": str(number), "padding": "x" * MANIFEST_BYTES}}
            yield publisher.manifest(REPOSITORY, str(number), json.dumps(padded).encode())


def _loaded(
    loads: Sequence[Load], hot: HotBlob, peaks: dict[Volume, int], addresses: Sequence[str], seconds: int
) -> dict[str, object]:
    """Load the pods, and the hot blob beside; returns the figures."""
    stored, stored_hot = hot.server.counts(), hot.fetched_bytes()
    with step(f"loading {len(addresses)} pods for {seconds} s with {', '.join(load.title for load in loads)}"):
        received = _received([*loads, hot.load()], peaks, addresses, seconds)
    hot_bytes = received[hot.load().title]["bytes_per_second"] * seconds
    hits = hot_blob.share_of_hits(hot_bytes, hot.fetched_bytes() - stored_hot)
    return {
        "stored_bytes_per_second": (hot.server.counts() - stored).bytes / seconds,
        "received": received,
        "hot_blob": {"bytes": HOT_BYTES, "share_of_hits": hits},
        "volumes": node.volume_figures(peaks),
        "holds": node.hold(peaks) and hits >= hot_blob.LEAST_SHARE_OF_HITS,
    }


def _received(
    loads: Sequence[Load], peaks: dict[Volume, int], addresses: Sequence[str], seconds: int
) -> dict[str, dict[str, float]]:
    """What the clients of each load received; raises the peaks meanwhile."""
    received = {load.title: {"bytes_per_second": 0.0, "requests_per_second": 0.0, "errors": 0} for load in loads}
    with running(loads, addresses, seconds) as processes:
        command.watch(
            lambda: any(process.poll() is None for _, process in processes),
            lambda: node.note_peaks(peaks),
            lambda: ", ".join(f"{volume.name} {peak / MIB:.0f}" for volume, peak in peaks.items()),
        )
        for load, process in processes:
            got = wrk.parse(process.stdout.read() if process.stdout else "")
            for figure in received[load.title]:
                received[load.title][figure] += getattr(got, figure)
    return received


if __name__ == "__main__":
    sys.exit(main())
