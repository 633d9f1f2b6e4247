"""What a pod's nginx holds of memory, by its processes."""

import re
from pathlib import Path

from testbed.sandbox.pod import Pod


def anonymous_kib(pod: Pod) -> int:
    """The workers' memory that the kernel cannot take back, in KiB."""
    return sum(_of(Path("/proc", str(child), "smaps_rollup").read_text()) for child in pod.children)


def _of(process: str) -> int:
    return int(re.findall(r"^Pss_Anon: +(\d+) kB$", process, re.MULTILINE)[0])
