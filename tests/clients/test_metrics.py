"""The pods' metrics say of real clients what the access log and the doubles of ECR and S3 say."""

from collections.abc import Mapping

import pytest

from testbed.clients.client import Client
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.pod import Pod
from testbed.sandbox.pod_metrics import UNFINISHED, balanced, requests, samples, value
from testbed.waiting import eventually, wait_until
from tests.clients.place import Image

NOT_SENT = ("limited", "circuit_open", "no_credential")


@pytest.mark.rule("R111")
def test_hits_misses_and_internal_requests_are_all_requests_whatever_clients_send(
    pod: Pod, clients: Mapping[str, Client], control: Control, app: Image
) -> None:
    """Each client pulls by tag and by digest; the first one fills the cache."""
    # A request of an earlier test would be counted when it ends, and is in the journal since it began.
    wait_until(lambda: value(UNFINISHED) == 1, "no request of an earlier test is left")
    before, mark = samples(), control.mark()
    for client in clients.values():
        for reference in (app.by("tag"), app.by("digest"), app.by("tag")):
            client.forget()
            assert client.pull(reference).succeeded
    wait_until(lambda: value(UNFINISHED) == 1, "all requests have ended")
    found = eventually(balanced)
    assert found, "the sum of all requests differs from nginx's total each time"
    clients_requests = requests(found)
    lines = pod.log_lines("front")
    assert sum(clients_requests.values()) == len(lines)
    assert clients_requests["none"] == sum(line["cache"] == "" for line in lines)
    looked_up = sum(line["cache"] not in {"HIT", "STALE"} for line in pod.log_lines("tags"))
    missed = sum(line["cache"] not in {"", "HIT"} for line in lines)
    # A tag that was looked up is one miss, whether its manifest was cached or not.
    assert missed <= clients_requests["miss"] <= missed + looked_up
    assert clients_requests["hit"] > clients_requests["miss"]
    added = {name: found[name] - before[name] for name in found if name in before}
    to_ecr = [n for name, n in added.items() if "ecr_requests" in name and not any(word in name for word in NOT_SENT)]
    # The double writes its journal after it has answered.
    wait_until(lambda: control.requests(mark).count("registry") >= sum(to_ecr), "the journal has every request")
    sent = control.requests(mark)
    assert sum(to_ecr) == sent.count("registry")
    assert added["frontdoor_s3_bytes_total"] == sent.sent_bytes("s3.layer")
