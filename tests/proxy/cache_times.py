"""The longest times for which nginx caches errors and tags, and waiting until a test's failure is over."""

from testbed.waiting import wait_until
from tests.proxy.client import Client
from tests.proxy.traffic import request_unknown_tag

ERRORS_LAST_SECONDS = 2.1
"""After this, an error that nginx caches for one second has expired; nginx counts whole seconds."""

TAG_EXPIRED_SECONDS = 4.1
"""After this, a cached tag has expired: the settings of these tests have tag_seconds = 3."""


def wait_until_circuit_is_closed(client: Client) -> None:
    """Return when a request reaches the healthy ECR; an earlier failure may have opened the circuit."""
    wait_until(lambda: request_unknown_tag(client).status == 404, "the circuit is closed")
