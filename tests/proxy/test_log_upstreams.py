"""What an upstream writes into its headers is recorded only in the form of the schema."""

import json
import re
import secrets

import pytest

from lambda_fn.contract.objects import TEMPLATE_KEY
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.pod import Pod
from tests.proxy.client import Client

OURS = r"add_header Docker-Content-Digest \$digest;(?=\s+add_header X-Accel-Redirect)"


@pytest.mark.rule("R95")
@pytest.mark.parametrize("sent", ["sha256:" + "0" * 3000, "sha256:" + "A" * 64, "signed-by-another"])
def test_a_header_of_an_upstream_is_recorded_only_in_the_form_of_the_schema(
    pod: Pod, client: Client, publisher: Publisher, sent: str
) -> None:
    """The server `layers` sends it, as if it came from S3."""
    digest = publisher.blob("team/recorded", secrets.token_bytes(9))
    theirs = f'add_header Docker-Content-Digest "{sent}"; add_header Content-Type "text/x; {sent}";'
    template, edits = re.subn(OURS, f"{theirs} proxy_hide_header Content-Type;", pod.template(TEMPLATE_KEY))
    assert edits
    pod.configure(template)
    pod.start()
    path = f"/v2/team/recorded/blobs/{digest}"
    assert client.get(path).status == 200
    (record,) = pod.access_log("front", path)
    assert (record["digest"], record["media_type"]) == (digest, "")
    assert sent not in json.dumps(record)
