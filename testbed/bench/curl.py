"""Whole downloads, many at once, each with its first byte and its end: curl."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from testbed.sandbox.errors import SandboxError

_LONGEST_SECONDS = 180
_OPTIONS = """\
silent
no-progress-meter
show-error
location
globoff
http1.1
parallel
parallel-immediate
write-out = "%{json}\\n"
"""


@dataclass(frozen=True, slots=True)
class Download:
    """One client's answer, at the end of any redirects; seconds since the client began."""

    status: int
    first_byte_seconds: float
    seconds: float
    bytes: int


def download(url: str, headers: Mapping[str, str], *, clients: int, output: str = "/dev/null") -> list[Download]:
    """Start clients that download at the same time, each on its own connection.

    Raises:
        SandboxError: curl does not end in time, or a client did not get a whole answer of status 200.
    """
    lines = [f'header = "{name}: {value}"' for name, value in headers.items()]
    # The certificate is for the public domain, and this is loopback; to ECR and S3 it is verified.
    lines += ["insecure"] if url.startswith("https://127.") else []
    lines += [f'url = "{url}"', f'output = "{output}"'] * clients
    config = f"{_OPTIONS}parallel-max = {clients}\n" + "\n".join(lines)
    # Headers hold a credential: curl reads them from its input, where no other process sees them.
    done = subprocess.run(
        ("curl", "--config", "-"), input=config, capture_output=True, text=True, timeout=_LONGEST_SECONDS, check=False
    )
    downloads = parse(done.stdout)
    failed = [d.status for d in downloads if d.status != 200]  # noqa: PLR2004 - HTTP's own number
    if done.returncode or failed or len(downloads) != clients:
        raise SandboxError(
            f"curl {url}: {len(downloads)} of {clients}, status {failed[:3]}: {done.stderr.strip()[:300]}"
        )
    return downloads


def parse(output: str) -> list[Download]:
    """What curl has written out, one line of JSON for each client."""
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return [Download(s["http_code"], s["time_starttransfer"], s["time_total"], s["size_download"]) for s in lines]
