"""The three probes of the kubelet: live, ready and startup."""

import pytest

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.tokens import Token
from testbed.sandbox.pod import Pod
from testbed.sandbox.world import World
from tests.proxy.client import Client


@pytest.mark.rule("R37", "F9")
@pytest.mark.parametrize("path", ["/-/live", "/-/ready"])
def test_a_failing_ecr_takes_no_pod_out_of_service(started: Pod, client: Client, control: Control, path: str) -> None:
    started.put_credential(None)
    mark = control.mark()
    with control.behaving(Behaviour(registry_outage="refused")):
        assert client.get(path).status == 200
    assert control.requests(mark).entries == ()


@pytest.mark.rule("R38")
def test_a_pod_starts_when_every_registry_accepts_its_credential(
    started: Pod, client: Client, control: Control, world: World
) -> None:
    assert started.settings.registries
    mark = control.mark()
    answer = client.get("/-/startup")
    assert (answer.status, answer.body) == (200, b"2 of 2 registries answer, 1 of 1 layer buckets\n")
    asked = [(entry.host, entry.path) for entry in control.requests(mark).entries]
    assert sorted(asked) == sorted([*((host, "/v2/") for host in world.ecr_hosts), (world.layer_host, "/")])


def test_nginx_starts_without_a_warning(started: Pod) -> None:
    assert "[warn]" not in started.error_log()


@pytest.mark.rule("R38")
def test_a_pod_does_not_start_while_one_registry_refuses_its_credential(
    started: Pod, client: Client, world: World, token: Token
) -> None:
    started.give({world.ecr_hosts[0]: token.authorization, world.ecr_hosts[1]: "QVdTOm1hZGUtdXA="})
    answer = client.get("/-/startup")
    assert (answer.status, answer.body) == (503, b"1 of 2 registries answer, 1 of 1 layer buckets\n")


@pytest.mark.rule("R38", "F4")
def test_a_pod_does_not_start_without_a_credential(started: Pod, client: Client) -> None:
    started.put_credential(None)
    assert client.get("/-/startup").status == 503


@pytest.mark.rule("R38", "F9")
@pytest.mark.parametrize("fault", [Behaviour(registry_outage="refused"), Behaviour(registry_status=503)])
def test_a_pod_does_not_start_while_ecr_does_not_answer(
    started: Pod, client: Client, control: Control, fault: Behaviour
) -> None:
    assert client.get("/-/startup").status == 200
    with control.behaving(fault):
        assert client.get("/-/startup").status == 503
    assert started.error_log() or fault.registry_status


@pytest.mark.rule("R38", "F12")
def test_a_pod_does_not_start_while_s3_does_not_answer(started: Pod, client: Client, control: Control) -> None:
    with control.behaving(Behaviour(s3_outage="refused")):
        answer = client.get("/-/startup")
    assert (answer.status, answer.body) == (503, b"2 of 2 registries answer, 0 of 1 layer buckets\n")
    assert "the startup probe fails: prod-ap-southeast-2-starport-layer-bucket.s3." in started.error_log()


@pytest.mark.rule("R38")
def test_the_startup_probe_is_rate_limited(started: Pod, client: Client, control: Control) -> None:
    mark = control.mark()
    answers = [client.get("/-/startup") for _ in range(30)]
    assert {answer.status for answer in answers} == {200, 429}
    assert {answer.header("Content-Type") for answer in answers} == {"text/plain"}
    assert control.requests(mark).count("registry") < 2 * 15
    assert "limiting requests" in started.error_log()


@pytest.mark.rule("R39")
def test_probes_are_not_in_the_access_log(started: Pod, client: Client) -> None:
    for path in ("/-/live", "/-/ready", "/-/startup", "/v2/"):
        client.get(path)
    assert started.access_log("front", "/v2/")
    assert '"path":"/-/' not in started.logs()
