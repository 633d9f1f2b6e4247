"""Clients with addresses of their own, behind a proxy that forwards them, and a flood from one of them."""

import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http import HTTPStatus

from lambda_fn.contract.objects import TEMPLATE_KEY
from lambda_fn.settings import Settings
from testbed.sandbox.cloud.publish import Image
from testbed.sandbox.pod import Pod
from testbed.soak.flood import command
from tests.proxy.client import ACCEPT, Answer, Client

TRUSTED = "127.0.0.1"
"""Where every client of these tests connects from."""
EXPOSURE = f'kind = "ingress"\nclass_name = "nginx"\ntrusted_proxies = ["{TRUSTED}/32"]'
LONGEST_SECONDS = 60
HOSTILE, HONEST, OTHER = "203.0.113.66", "203.0.113.1", "203.0.113.2"


def with_budget(settings: Settings, requests_per_second: int) -> Settings:
    """The same installation with a budget for one pod: the setting is for all of them, and one more."""
    total = requests_per_second * (settings.proxy.replicas + 1)
    return settings.model_copy(update={"proxy": settings.proxy.model_copy(update={"ecr_requests_per_second": total})})


def configure_smaller(pod: Pod, limits: Mapping[str, str]) -> None:
    """Configure a pod with smaller limits: words that the template has once, and what takes their place."""
    template = pod.template(TEMPLATE_KEY)
    for words, smaller in limits.items():
        assert template.count(words) == 1
        template = template.replace(words, smaller)
    pod.configure(template)


QUEUE = 10


def configure_short_queue(pod: Pod) -> None:
    """One request a second for each client, and `QUEUE` that wait: also a slow machine floods that."""
    limits = {
        "burst={{ budget.client_queue }} delay={{ budget.client_rate }}": f"burst={QUEUE} delay={QUEUE - 3}",
        "zone=shares:2m rate={{ budget.client_rate }}r/s": "zone=shares:2m rate=1r/s",
    }
    configure_smaller(pod, limits)
    pod.kill()
    pod.start()


def of(address: str) -> dict[str, str]:
    """The headers of a client with this address."""
    return {**ACCEPT, **({"X-Forwarded-For": address} if address else {})}


def at_once(client: Client, paths: Sequence[str], address: str) -> list[Answer]:
    """The answers to requests of one client, all of them at the same time."""
    with ThreadPoolExecutor(len(paths)) as pool:
        return list(pool.map(lambda path: client.get(path, of(address)), paths))


def pull(client: Client, image: Image, tag: str, address: str) -> list[int]:
    """The statuses of a pull by tag: HEAD, then the manifest by digest, the configuration and the layers."""
    base = "/v2/team/app"
    answers = [client.head(f"{base}/manifests/{tag}", of(address))]
    answers.append(client.get(f"{base}/manifests/{image.digest}", of(address)))
    answers += [client.get(f"{base}/blobs/{digest}", of(address)) for digest in (image.config, *image.layers)]
    return [answer.status for answer in answers]


@contextmanager
def flood(
    kind: str = "missing", *, rate: int = 300, address: str = HOSTILE, **more: object
) -> Iterator["subprocess.Popen[bytes]"]:
    """A hostile client that keeps requesting; by default missing content."""
    headers = [f"X-Forwarded-For: {address}"] if address else []
    options = {"rate": rate, "seconds": LONGEST_SECONDS, "source": TRUSTED, "header": headers, **more}
    with subprocess.Popen(command(kind, options), stdout=subprocess.DEVNULL) as process:  # noqa: S603 - our own words
        try:
            yield process
        finally:
            process.terminate()


def refusal(paths: Iterable[str], address: str) -> tuple[str, Answer]:
    """The first path that a client is refused, because its queue is full, and its answer.

    A free place may be there before the flood takes it. Then the request waits, and the next path is asked for.

    Raises:
        TimeoutError: It is not refused.
    """
    hasty, end = Client(timeout_seconds=1), time.monotonic() + LONGEST_SECONDS / 2
    for path in paths:
        with suppress(TimeoutError):
            if (answer := hasty.get(path, of(address))).status == HTTPStatus.TOO_MANY_REQUESTS:
                return path, answer
        if time.monotonic() > end:
            break
        time.sleep(0.02)
    raise TimeoutError(f"{address} is not refused")
