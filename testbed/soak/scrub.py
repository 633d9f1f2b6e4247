"""A pod without a kubelet whose cache is checked: its counts, and what the check costs."""

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lambda_fn.contract.objects import TEMPLATE_KEY
from testbed.bench.usage import cpu_seconds, tree
from testbed.sandbox import installation, pod_metrics
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.pod import Pod
from testbed.sandbox.progress import say, step
from testbed.sandbox.world import World
from testbed.soak import cached_files
from testbed.waiting import wait_until

ADDRESS = "127.0.0.1"
LONGEST_SECONDS = 900


@contextmanager
def pod(world: World, size_gib: int) -> Iterator[Pod]:
    """A pod with a cache of a size, not started; it ends with the block."""
    folder = Path(tempfile.mkdtemp(dir=world.state))
    settings = installation.settings(world, f"[proxy.cache]\nsize_gib = {size_gib}\n")
    made = Pod(folder, world, pod_metrics.with_metrics(settings))
    made.give({world.ecr_host: Control().issue_token(world.region).authorization})
    pair = world.pair("domain")
    made.mount("tls", {"tls.crt": pair.certificate.read_bytes(), "tls.key": pair.key.read_bytes()})
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder)


def restart_without_pass(of: Pod) -> None:
    """Start the pod's container again, with the round over the contents alone.

    Raises:
        SandboxError: nginx refuses the configuration.
    """
    lines = of.template(TEMPLATE_KEY).splitlines()
    of.kill()
    of.configure("\n".join(line for line in lines if "frontdoor.scrub_sizes" not in line) + "\n")
    if of.check().returncode:
        raise SandboxError(f"nginx refuses the configuration: {of.error_log()}")
    of.restart()


def wait_until_noted(of: Pod) -> None:
    """Return when the checksum of every file is noted."""
    cache = of.folder / "cache"

    def all_noted() -> bool:
        return {file.name for file in cached_files.cached(cache)} <= cached_files.noted(cache)

    wait_until(all_noted, "the checksum of every file is noted", seconds=LONGEST_SECONDS, pause_seconds=1)


def wait_for_first_pass() -> None:
    """Return when the sizes of all files are known."""
    wait_until(
        lambda: pod_metrics.value(pod_metrics.PASSES) > 0,
        "the sizes are known",
        seconds=LONGEST_SECONDS,
        pause_seconds=1,
    )


def cost(of: Pod, seconds: int) -> dict[str, float]:
    """Without clients: the share of a core, and how long a round takes at the rate of the reads meanwhile."""
    wait_until(lambda: not _loads(of), "nginx has loaded its cache", seconds=LONGEST_SECONDS, pause_seconds=1)
    with step(f"measuring the cost for {seconds} s"):
        processes = tree([of.pid])
        cpu, read = cpu_seconds(processes), _read_bytes(processes)
        time.sleep(seconds)
        rate = (_read_bytes(processes) - read) / seconds
        share = (cpu_seconds(processes) - cpu) / seconds
    held = sum(file.stat().st_size for file in cached_files.cached(of.folder / "cache"))
    found = {"cpu_share": round(share, 4), "bytes_per_second": round(rate), "round_seconds": round(held / max(rate, 1))}
    say(f"  {found}")
    return found


def _loads(of: Pod) -> bool:
    """Whether nginx's cache loader runs: it begins a minute after the start, and ends."""
    return any(b"cache loader" in Path(f"/proc/{pid}/cmdline").read_bytes() for pid in tree([of.pid]))


def _read_bytes(processes: Sequence[int]) -> int:
    """What they have read so far, from memory or the disk."""
    lines = [line for pid in processes for line in Path(f"/proc/{pid}/io").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("rchar"))
