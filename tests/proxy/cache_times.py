"""How long what nginx keeps for seconds is kept at most, and waiting for the end of what a test has caused."""

from testbed.waiting import wait_until
from tests.proxy.client import Client
from tests.proxy.traffic import request_unknown_tag

ERRORS_LAST_SECONDS = 2.1
"""After this, nginx has forgotten an error it kept for a second; it counts in whole ones."""

TAG_EXPIRED_SECONDS = 4.1
"""After this, ECR is asked for a tag again: the settings of these tests have tag_seconds = 3."""


def wait_until_circuit_is_closed(client: Client) -> None:
    """Return when ECR, which is well, is asked again: it may have been made to rest."""
    wait_until(lambda: request_unknown_tag(client).status == 404, "ECR, which is well, is asked")
