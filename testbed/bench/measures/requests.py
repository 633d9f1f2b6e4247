"""Requests a second and their p99: manifests and a small blob, cached where the contestant caches."""

from testbed.bench import curl
from testbed.bench.content import TAG, blob_path, manifest_path
from testbed.bench.contestants import Contestant
from testbed.bench.measures.load import loaded
from testbed.bench.stage import Stage, headers

MEASURE = "requests"
TLS = "requests over TLS"
GROWTH = "clients"

_SENT_TO_S3 = "sends a client to S3 for a blob: what would be measured is half of it, and S3's double the other half"


def measure(stage: Stage, number: int) -> None:
    """Both manifests and the blob, from every contestant."""
    content = stage.content
    cases = {
        "manifest by digest": manifest_path(content.image.digest),
        "manifest by tag": manifest_path(TAG),
        "blob of 10 kB": blob_path(content.small),
    }
    for case, path in cases.items():
        for contestant in stage.turns(number):
            if "blob" in case and contestant.redirects:
                stage.gap(contestant, f"{MEASURE}: {case}", _SENT_TO_S3)
                continue
            _load(stage, contestant, number, (MEASURE, case), f"{contestant.origin}{path}")


def measure_tls(stage: Stage, number: int) -> None:
    """The blob over TLS on keep-alive connections, without handshakes."""
    for contestant in stage.turns(number):
        if not contestant.redirects:
            url = f"{contestant.secure_origin}{blob_path(stage.content.small)}"
            _load(stage, contestant, number, (TLS, "blob of 10 kB"), url)


def measure_clients(stage: Stage, number: int) -> None:
    """The blob again, with increasing numbers of clients."""
    for clients in stage.plan.clients:
        for contestant in stage.turns(number):
            if not contestant.redirects:
                url = f"{contestant.origin}{blob_path(stage.content.small)}"
                _load(stage, contestant, number, (GROWTH, str(clients)), url, connections=clients)


def _load(
    stage: Stage, contestant: Contestant, number: int, about: tuple[str, str], url: str, *, connections: int = 0
) -> None:
    # One request before the load fills the cache, and ECR has answered the load before this one.
    curl.download(url, headers(contestant), clients=1)
    done = loaded(stage, contestant, about, url, connections=connections)
    if done is None:
        return
    load, used = done
    stage.record(contestant, about, number, requests_per_second=load.requests_per_second)
    answered = load.requests_per_second * stage.plan.load_seconds
    if not answered:
        return
    stage.record(contestant, about, number, p50_seconds=load.p50_seconds, p99_seconds=load.p99_seconds)
    if contestant.processes():
        microseconds = used.cpu_seconds * 1e6 / answered
        stage.record(contestant, about, number, cpu_microseconds_per_request=microseconds)
