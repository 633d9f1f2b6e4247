"""Every kind of load at once, at the machine's full rate, on the real node: no volume may pass its limit.

`python -m testbed.soak.volumes`, inside the sandbox. The kubelet evicts a pod whose volume passes its limit, without
its drain. Sizes are what `du` counts, as the kubelet does, twice a second.
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
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.progress import say, step
from testbed.sandbox.world import World
from testbed.soak import command
from testbed.soak import pods as node
from testbed.soak.loads import Load, running
from testbed.soak.pods import Volume

MIB = 1 << 20
LAYERS = 24
LAYER_BYTES = 256 * MIB
"""All layers together are six times the cache, so nearly every slice comes from S3 and another one is evicted."""
MANIFESTS = 40
MANIFEST_BYTES = 900_000
REPOSITORY = "team/soak"
SETTINGS = "[proxy.cache]\nsize_gib = 1\n"


def main() -> int:
    """Run; returns 1 when a volume passes its limit or a pod does not survive."""
    parser = command.parser("testbed.soak.volumes", __doc__)
    parser.add_argument("--seconds", type=int, default=180, help="how long the load lasts [%(default)s]")
    arguments = parser.parse_args()
    return command.status(lambda: run(World.current(), arguments.seconds), arguments.json)


def run(world: World, seconds: int) -> dict[str, object]:
    """Install, load, and watch; returns the figures.

    Raises:
        SandboxError: The front door cannot be installed.
    """
    control = Control()
    control.reset()
    invocation = installation.install(world, SETTINGS)
    if invocation.error:
        raise SandboxError(f"the Lambda failed: {invocation.error['errorMessage']}")
    loads = _loads(world, control)
    before, pods = installation.proxy_pods(world), installation.proxy_pod_objects(world)
    volumes, addresses = list(node.volumes(world, pods)), [str(pod["status"]["podIP"]) for pod in pods]
    with step(f"loading {len(before)} pods for {seconds} s with {', '.join(load.title for load in loads)}"):
        peaks, received = _loaded(loads, volumes, addresses, seconds)
    after = installation.proxy_pods(world)
    for volume in volumes:
        say(f"  {volume.pod} {volume.name}: at most {peaks[volume] / MIB:.0f} of {volume.limit_bytes / MIB:.0f} MiB")
    for title, bytes_per_second in received.items():
        say(f"  {title}: {bytes_per_second / MIB:.0f} MiB/s received")
    say(f"  pods and restarts before {before}, after {after}")
    return {
        "seconds": seconds,
        "volumes": [
            {"pod": v.pod, "volume": v.name, "limit_bytes": v.limit_bytes, "peak_bytes": peaks[v]} for v in volumes
        ],
        "received_bytes_per_second": received,
        "pods": {"before": before, "after": after},
        "holds": before == after and node.hold(peaks),
    }


def _loads(world: World, control: Control) -> list[Load]:
    with step(f"making {LAYERS} layers of {LAYER_BYTES // MIB} MiB and {MANIFESTS} manifests"):
        layers = [f"/v2/{REPOSITORY}/blobs/{control.generated_layer(LAYER_BYTES, seed)}" for seed in range(LAYERS)]
        manifests = [f"/v2/{REPOSITORY}/manifests/{digest}" for digest in _pushed_manifests(world, control)]
    return [
        Load("whole pulls", layers, 8, {}),
        Load("one-byte ranges", layers, 8, {"RANGE_BYTES": str(LAYER_BYTES)}),
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
    loads: Sequence[Load], volumes: Sequence[Volume], addresses: Sequence[str], seconds: int
) -> tuple[dict[Volume, int], dict[str, float]]:
    peaks = dict.fromkeys(volumes, 0)
    with running(loads, addresses, seconds) as processes:
        command.watch(
            lambda: any(process.poll() is None for _, process in processes),
            lambda: node.note_peaks(peaks),
            lambda: ", ".join(f"{volume.name} {peak / MIB:.0f}" for volume, peak in peaks.items()),
        )
        received: dict[str, float] = dict.fromkeys((load.title for load in loads), 0.0)
        for load, process in processes:
            output = process.stdout.read() if process.stdout else ""
            received[load.title] += wrk.parse(output).bytes_per_second
    return peaks, received


if __name__ == "__main__":
    sys.exit(main())
