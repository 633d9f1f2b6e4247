"""Pulls by docker and containerd: cold and warm through the proxy, and from ECR itself."""

import time
from collections.abc import Mapping, Sequence

from lambda_fn.contract.paths import HTTPS_PORT
from testbed.bench.content import APPLICATION_TAG, REPOSITORY
from testbed.bench.contestants import Contestant, Direct, Frontdoor
from testbed.bench.stage import Stage
from testbed.clients import installation
from testbed.clients.client import Client
from testbed.clients.containerd import Containerd
from testbed.clients.docker import Docker
from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.hosts import pointed

MEASURE = "daemons"
KINDS: Sequence[type[Client]] = (Docker, Containerd)


def measure(stage: Stage, number: int) -> None:
    """Each daemon forgets the image before every pull; the proxy only before the cold one."""
    if not installation.is_complete(stage.world.cache):
        reason = "docker and containerd are not there. Fix: python -m testbed.clients"
        stage.gap(stage.contestant(Frontdoor), MEASURE, reason)
        return
    with (
        pointed(stage.world, {"127.0.0.1": (stage.world.domain,)}),
        stage.control.behaving(Behaviour(s3_bytes_per_second=stage.plan.coalescing_s3_bytes_per_second)),
    ):
        for kind in KINDS:
            with kind.running(stage.world) as client:
                for contestant in stage.turns(number):
                    if isinstance(contestant, Direct | Frontdoor):
                        _pulls(stage, contestant, number, client)


def _pulls(stage: Stage, contestant: Contestant, number: int, client: Client) -> None:
    direct = isinstance(contestant, Direct)
    host = stage.world.ecr_host if direct else f"{stage.world.domain}:{HTTPS_PORT}"
    contestant.make_cold()
    with client.logged_in(_login(stage) if direct else {}):
        for case in ("cold", "warm"):
            client.forget()
            mark, began = stage.control.mark(), time.monotonic()
            outcome = client.pull(f"{host}/{REPOSITORY}:{APPLICATION_TAG}")
            seconds = time.monotonic() - began
            if not outcome.succeeded:
                raise SandboxError(f"{client.name} did not pull: {outcome.output[-300:]}")
            seen = stage.control.requests(mark)
            about = (MEASURE, f"{client.name}, {case}")
            stage.record(contestant, about, number, seconds=seconds, ecr_requests=seen.count("registry"))
    client.forget()


def _login(stage: Stage) -> Mapping[str, str]:
    """What a client logs in to ECR with."""
    return {stage.world.ecr_host: stage.control.issue_token(stage.world.region).login}
