"""HAProxy terminates TLS in front of the pods on the real node, as an Ingress controller or a Gateway does.

Twenty real clients pull slowly through it, by HTTP/2, while the pods are replaced.
"""

import json
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from lambda_fn.settings import Settings
from testbed.sandbox import haproxy, installation
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.commands import run
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.hosts import point_domain
from testbed.sandbox.kubectl import kubectl_json
from testbed.sandbox.world import World
from testbed.waiting import wait_until
from tests.e2e.slow_pulls import finish, in_the_middle, was_broken

EXPOSURE = """
[proxy.exposure]
kind = "service"
trusted_proxies = ["{proxy}/32"]
"""


@pytest.fixture
def proxy(world: World) -> str:
    """The address from which HAProxy reaches the pods: the node's in their network, because kube-proxy masquerades."""
    return str(next(ip_network(world.pod_cidr).hosts()))


@pytest.fixture
def behind_a_proxy(installed: World, proxy: str, tmp_path: Path) -> Iterator[Settings]:
    """The same front door without TLS in nginx, behind HAProxy on the node's address, where the domain leads."""
    world, more = installed, EXPOSURE.format(proxy=proxy)
    settings = installation.settings(world, more)
    try:
        installation.apply_charts(world, more)
        invocation = installation.refresh(world, {}, settings)
        assert invocation.error is None, invocation.log
        service = kubectl_json("get", "service", settings.names.workload, f"--namespace={world.namespace}")["spec"]
        server = f"{service['clusterIP']}:{service['ports'][0]['port']}"
        text = haproxy.http_proxy(address=world.api_address, port=443, server=server, source=world.api_address)
        folder = tmp_path / "haproxy"
        folder.mkdir()
        with haproxy.running(world, folder, text):
            point_domain(world, world.api_address)
            wait_until(lambda: http_version(world) == "2", "HAProxy answers", seconds=20)
            yield settings
    finally:
        invocation = installation.install(world)
        assert invocation.error is None, invocation.log


def http_version(world: World) -> str:
    """Of an answer at the public domain; empty where there is none."""
    try:
        return run(("curl", "-sSf", "-o", "/dev/null", "-w", "%{http_version}", f"https://{world.domain}/v2/"))
    except SandboxError:
        return ""


def test_twenty_slow_pulls_through_a_proxy_outlast_a_rollout_of_the_pods(
    behind_a_proxy: Settings, world: World, control: Control, tmp_path: Path
) -> None:
    with in_the_middle(world, control, tmp_path / "pulls", tls=False) as slow_pulls:
        before = installation.proxy_pods(world)
        clients = {client for pod in before for client in logged_clients(world, pod)}
        invocation = installation.refresh(world, {"force_rollout": True}, behind_a_proxy)
        assert invocation.payload["rolled_out"], invocation.log
        assert not set(before) & set(installation.proxy_pods(world))
        assert [str(pull) for pull in slow_pulls if not pull.is_running] == []
        finish(control, slow_pulls)
    assert [str(pull) for pull in slow_pulls if was_broken(pull)] == []
    assert clients == {world.api_address}, "all of them are on the node"


def logged_clients(world: World, pod: str) -> set[str]:
    """The clients in a pod's access log, but for the test's own requests, which pass by HAProxy.

    The log of a container has nginx's error log as well: a pod's first probe can come before the names are resolved.
    """
    log = run(("kubectl", "logs", pod, f"--namespace={world.namespace}")).splitlines()
    requests = (json.loads(line) for line in log if line.startswith("{"))
    pulled = (one for one in requests if one["server"] == "front" and one["path"].startswith("/v2/team/"))
    return {one["client"] for one in pulled if not one["user_agent"].startswith("curl/")}
