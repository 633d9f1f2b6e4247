"""How long what nginx keeps for seconds is kept at most, and waiting for the end of what a test has caused."""

import secrets
import time

from tests.proxy.client import ACCEPT, Client

ERRORS_LAST_SECONDS = 2.1
"""After this, nginx has forgotten an error it kept for a second; it counts in whole ones."""

TAG_EXPIRED_SECONDS = 4.1
"""After this, ECR is asked for a tag again: the settings of these tests have tag_seconds = 3."""


def wait_until_ecr_is_asked(client: Client) -> None:
    """Return when ECR, which is well, is asked again: it may have been made to rest."""
    deadline = time.monotonic() + 90
    while client.get(f"/v2/team/app/manifests/{secrets.token_hex(8)}", ACCEPT).status != 404:
        assert time.monotonic() < deadline, "ECR is well, and is not asked"
        time.sleep(0.2)
