"""Mirrors of public registries, in a pod of each test's own."""

import secrets
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lambda_fn.settings import Settings
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.tokens import fingerprint
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from tests.proxy.client import ACCEPT, Client
from tests.proxy.limited import EXPOSURE, HONEST, HOSTILE, of
from tests.proxy.mirrors import RULES, message, tags_asked, with_mirrors

AT_ONCE = 100
"""The new tags that one client may pull at once."""
ALL_AT_ONCE, ALL_A_SECOND, CLIENTS = 300, 2, 10
"""Those of all clients together, then a second, and how many clients that are."""


@pytest.fixture(scope="module")
def settings(world: World, resolver: str) -> Settings:
    replica = f'{{ account = "{world.account}", region = "{world.replica_region}" }}'
    return with_mirrors(world, resolver, EXPOSURE, replica)


@pytest.fixture(autouse=True)
def healthy(control: Control) -> Control:
    """A double with cache rules."""
    control.set(RULES)
    return control


@pytest.mark.rule("R156", "R32", "F1")
def test_a_refused_credential_of_the_proxy_is_no_refused_import(
    client: Client, control: Control, world: World, pod: Pod
) -> None:
    token = control.issue_token(world.region)
    pod.give(dict.fromkeys(world.ecr_hosts, token.authorization))
    pod.start()
    control.expire_tokens(fingerprint(token.authorization))
    answer = client.get(f"/v2/docker-hub/library/{secrets.token_hex(4)}/manifests/1", ACCEPT)
    assert (answer.status, answer.error_code()) == (503, "UNAVAILABLE")
    assert message(answer).startswith("ECR refused the credential of this registry")


@pytest.mark.rule("R158")
def test_a_client_that_pulls_many_new_tags_at_once_is_refused_beyond_a_hundred(
    client: Client, control: Control, started: Pod
) -> None:
    assert started
    mark = control.mark()
    paths = [f"/v2/docker-hub/library/{number}/manifests/1" for number in range(AT_ONCE + 20)]
    with ThreadPoolExecutor(20) as pool:
        statuses = [answer.status for answer in pool.map(lambda path: client.get(path, of(HOSTILE)), paths)]
    # Of what is missing, ECR's message is asked for, too.
    assert AT_ONCE <= tags_asked(control, mark) <= AT_ONCE + 5
    assert set(statuses) == {404, 429}
    assert client.get("/v2/docker-hub/library/other/manifests/1", of(HONEST)).status == 404


@pytest.mark.rule("R158")
@pytest.mark.usefixtures("started")
def test_many_clients_that_pull_new_tags_at_once_are_refused_beyond_three_hundred(
    client: Client, control: Control
) -> None:
    mark, start = control.mark(), time.monotonic()
    asked = [(f"/v2/docker-hub/library/{n}/manifests/1", of(f"203.0.113.{n % CLIENTS}")) for n in range(ALL_AT_ONCE)]
    with ThreadPoolExecutor(20) as pool:
        statuses = [answer.status for answer in pool.map(lambda one: client.get(*one), asked)]
    meanwhile = ALL_A_SECOND * (time.monotonic() - start)
    # Of what is missing, ECR's message is asked for, too: each client has 60 of its 100.
    assert ALL_AT_ONCE <= tags_asked(control, mark) <= ALL_AT_ONCE + meanwhile + 5
    assert set(statuses) == {404, 429}


@pytest.mark.rule("R152")
@pytest.mark.usefixtures("started")
def test_a_replica_is_not_asked_to_import(client: Client, control: Control, world: World) -> None:
    mark = control.mark()
    with control.behaving(RULES.model_copy(update={"import_status": 500})):
        answer = client.get(f"/v2/docker-hub/library/{secrets.token_hex(4)}/manifests/1", ACCEPT)
    assert (answer.status, answer.error_code()) == (503, "UNAVAILABLE")
    assert {entry.host for entry in control.requests(mark).of("registry")} == {world.ecr_host}


@pytest.mark.rule("R141", "R152")
@pytest.mark.usefixtures("started")
def test_one_failure_of_what_a_replica_has_does_not_shut_ecr_for_a_mirror(client: Client, control: Control) -> None:
    with control.behaving(RULES.model_copy(update={"registry_status": 500})):
        assert client.get(f"/v2/team/app/manifests/{secrets.token_hex(4)}", ACCEPT).status == 503
    answer = client.get(f"/v2/docker-hub/library/{secrets.token_hex(4)}/manifests/1", ACCEPT)
    assert answer.status == 404, "of ECR: the upstream lacks it"
