"""A cold layer by itself and for many clients: our proxy reads ahead over many connections, a direct pull has one.

S3 is the layer server, since the double's gives less than several connections of a real one. It paces each connection.
"""

import secrets
import time

from testbed.bench import curl, usage
from testbed.bench.content import blob_path
from testbed.bench.contestants import Contestant, Direct, Frontdoor
from testbed.bench.measures.streams import named
from testbed.bench.plan import GIB
from testbed.bench.stage import Stage, headers
from testbed.bench.stage import digest as digest_of
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.layer_server.server import LayerServer, serving

MEASURE = "cold pull"
_SETTLE_SECONDS = 1.5
"""The TTL of the sandbox's DNS, with a margin; and the time in which what is still being fetched would end."""


def measure(stage: Stage, number: int) -> None:
    """One client of a large layer, and many clients of a smaller one, without a proxy and with ours."""
    with serving(stage.world) as layers:
        layers.set_rate(stage.plan.coalescing_s3_bytes_per_second)
        time.sleep(_SETTLE_SECONDS)
        for clients in stage.plan.cold_clients:
            for contestant in stage.turns(number):
                if isinstance(contestant, Direct | Frontdoor):
                    _pull(stage, contestant, number, layers, clients)


def case(clients: int, size_bytes: int) -> str:
    """The case of so many clients."""
    return f"{clients} client{'s' if clients > 1 else ''}, {named(size_bytes)}"


def _pull(stage: Stage, contestant: Contestant, number: int, layers: LayerServer, clients: int) -> None:
    size_bytes = stage.plan.large_bytes if clients > 1 else stage.plan.cold_bytes
    # Another seed each time: nothing that the proxy remembers of an earlier pull helps or harms this one.
    digest = layers.publish(stage.control, size_bytes, seed=secrets.randbelow(2**31))
    contestant.make_cold()
    url = f"{contestant.origin}{blob_path(digest)}"
    mark, before = stage.control.mark(), layers.counts()
    with usage.watched(contestant.processes()) as used:
        downloads = curl.download(url, headers(contestant), clients=clients)
    time.sleep(_SETTLE_SECONDS)
    sent, seen = layers.counts() - before, stage.control.requests(mark)
    _check(stage, contestant, url, digest)
    about = (MEASURE, case(clients, size_bytes))
    stage.record(
        contestant,
        about,
        number,
        seconds=max(download.seconds for download in downloads),
        first_byte_last_seconds=max(download.first_byte_seconds for download in downloads),
        s3_bytes_ratio=sent.bytes / size_bytes,
        s3_connections=sent.connections,
        ecr_requests=seen.count("registry"),
    )
    if contestant.processes() and clients == 1:
        growth = used.growth_bytes / 1e6 / (size_bytes / GIB)
        stage.record(contestant, about, number, cpu_seconds=used.cpu_seconds, growth_megabytes_per_gib=growth)


def _check(stage: Stage, contestant: Contestant, url: str, digest: str) -> None:
    """Hash what the pull has left in the cache: after the time is taken, since hashing takes a processor.

    Raises:
        SandboxError: They are not the layer's.
    """
    if not contestant.caches:
        return
    got = stage.folder / "got"
    curl.download(url, headers(contestant), clients=1, output=str(got))
    found = digest_of(got)
    got.unlink()
    if f"sha256:{found}" != digest:
        raise SandboxError(f"{contestant.title} serves bytes with the digest {found} for {digest}")
