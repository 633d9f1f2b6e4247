"""Requests that nothing kept answers, one or many at once, and waiting until ECR has them."""

import secrets
from concurrent.futures import ThreadPoolExecutor

from sandbox.cloud.control import Control
from tests.proxy.client import ACCEPT, Answer, Client
from tests.proxy.names import wait_until

CLIENTS = 10


def ask_for_anything(client: Client) -> Answer:
    """ECR has no such tag."""
    return client.get(f"/v2/team/app/manifests/{secrets.token_hex(8)}", ACCEPT)


def herd(client: Client) -> list[Answer]:
    """Clients that want something else each, at once."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(lambda _: ask_for_anything(client), range(CLIENTS)))


def wait_until_asked(control: Control, mark: int, kind: str = "registry", times: int = 1) -> None:
    """Return when ECR has been asked so often since a mark; it may not have answered yet."""
    wait_until(lambda: control.requests(mark).count(kind) >= times, f"ECR is asked for {kind}", pause_seconds=0.02)
