"""The metrics of a pod, as Prometheus gets them: without an address those of one without a kubelet."""

import re
import time
from collections.abc import Mapping
from contextlib import closing
from http.client import HTTPConnection
from statistics import mode

from lambda_fn.contract.paths import METRICS_PATH, METRICS_PORT
from lambda_fn.settings import Settings

_ADDRESS = "127.0.0.1"
_TIMEOUT_SECONDS = 10
_SCRAPES = 7
_BETWEEN_SCRAPES_SECONDS = 0.02
_SAMPLE = re.compile(r"^([a-z0-9_]+(?:\{[^}]*\})?) (\S+)$", re.MULTILINE)

PASSES = "frontdoor_scrub_passes_total"
ROUNDS = "frontdoor_scrub_rounds_total"
BLOBS = "frontdoor_scrub_blobs_total"
READ_BYTES = "frontdoor_scrub_read_bytes_total"
_DAMAGED = "frontdoor_damaged_files_total"
TOTAL = "frontdoor_nginx_requests_total"
UNFINISHED = "frontdoor_requests_in_progress"
KINDS_OF_DAMAGE = ("size", "header", "content", "unreadable")


def with_metrics(settings: Settings) -> Settings:
    """The same installation, whose pods have metrics."""
    changed = {"monitoring_namespace": "monitoring"}
    return settings.model_copy(update={"proxy": settings.proxy.model_copy(update=changed)})


def ask(path: str = METRICS_PATH, address: str = _ADDRESS) -> tuple[int, str, str]:
    """Status, content type and body, from the port of the metrics."""
    with closing(HTTPConnection(address, METRICS_PORT, timeout=_TIMEOUT_SECONDS)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type", ""), answer.read().decode()


def samples(address: str = _ADDRESS) -> dict[str, float]:
    """Each sample's value, by its name and labels."""
    return {name: float(number) for name, number in _SAMPLE.findall(ask(address=address)[2])}


def value(name: str) -> float:
    """One sample's value."""
    return samples()[name]


def damaged() -> dict[str, float]:
    """How many damaged files were removed, by the kind of the damage."""
    found = samples()
    return {kind: found[f'{_DAMAGED}{{damage="{kind}"}}'] for kind in KINDS_OF_DAMAGE}


def requests(found: Mapping[str, float] | None = None) -> dict[str, float]:
    """The requests of clients that have ended, by where their content came from: hit, miss, stale, none."""
    return _by_label("frontdoor_requests_total", found)


def internal(found: Mapping[str, float] | None = None) -> dict[str, float]:
    """The requests that have ended between the servers of the pod, by server."""
    return _by_label("frontdoor_internal_requests_total", found)


def balanced() -> dict[str, float] | None:
    """The samples, if hits, misses, internal and unfinished requests are all requests that nginx has counted.

    nginx's own periodic turns go on: one that begins between the reading of two numbers is in one of them only.
    """
    found = samples()
    counted = sum(requests(found).values()) + sum(internal(found).values()) + found[UNFINISHED]
    return found if found[TOTAL] == counted else None


def settled_requests() -> dict[str, int]:
    """The requests of clients that have ended, by where their content came from, when nothing is asked any more.

    Hits follow from the other numbers, as in the pod. One scrape may see a periodic turn that is not counted yet, as a
    hit too many, which the pod then reports until there is another hit: its counter never falls. So several scrapes
    are compared here.
    """
    counts: list[int] = []
    for _ in range(_SCRAPES):
        found = samples()
        others = requests(found)
        others["hit"] = 0
        counts.append(int(found[TOTAL] - found[UNFINISHED] - sum(internal(found).values()) - sum(others.values())))
        time.sleep(_BETWEEN_SCRAPES_SECONDS)
    return {kind: int(count) for kind, count in others.items()} | {"hit": mode(counts)}


def _by_label(name: str, found: Mapping[str, float] | None) -> dict[str, float]:
    known = samples() if found is None else found
    return {key.split('"')[1]: number for key, number in known.items() if key.startswith(f"{name}{{")}
