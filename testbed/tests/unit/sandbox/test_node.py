import ipaddress
import json
import tomllib
from pathlib import Path

import pytest

from testbed.sandbox import node
from testbed.sandbox.world import World

WORLD = World(state=Path("/srv/one"), cache=Path("/srv/cache"))


def test_every_file_and_folder_containerd_writes_is_in_the_state_folder() -> None:
    configuration = tomllib.loads(node.containerd_configuration(WORLD, "overlayfs"))

    written = (configuration["root"], configuration["state"], configuration["grpc"]["address"])

    assert all(Path(path).is_relative_to(WORLD.state) for path in written)


def test_containerd_uses_the_image_the_sandbox_loads_and_the_driver_the_kubelet_uses() -> None:
    cri = tomllib.loads(node.containerd_configuration(WORLD, "overlayfs"))["plugins"]["io.containerd.grpc.v1.cri"]

    assert cri["sandbox_image"] == node.PAUSE_IMAGE
    assert cri["containerd"]["runtimes"]["runc"]["options"]["SystemdCgroup"] is False
    assert node.kubelet_configuration(WORLD)["cgroupDriver"] == "cgroupfs"


@pytest.mark.parametrize("host", [*WORLD.ecr_hosts, WORLD.domain])
def test_every_registry_is_trusted_by_the_sandbox_ca_alone(host: str) -> None:
    files = node.files(WORLD, "overlayfs")

    hosts = tomllib.loads(files[WORLD.node_files / "certs.d" / host / "hosts.toml"])

    assert hosts["server"] == f"https://{host}"
    assert hosts["host"] == {f"https://{host}": {"capabilities": ["pull", "resolve"], "ca": str(WORLD.ca.certificate)}}


def test_kubelet_keeps_pods_below_the_sandbox_cgroup_and_asks_the_sandbox_for_names() -> None:
    configuration = node.kubelet_configuration(WORLD)

    assert configuration["cgroupRoot"] == f"/{WORLD.cgroup}"
    assert configuration["clusterDNS"] == [WORLD.dns_address]
    assert configuration["authentication"]["anonymous"] == {"enabled": False}  # type: ignore[index]


def test_kube_proxy_leaves_the_conntrack_settings_of_the_machine_alone() -> None:
    conntrack = node.kube_proxy_configuration(WORLD)["conntrack"]

    assert conntrack == {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"}


def test_pods_get_addresses_of_the_pod_network_from_files_in_the_state_folder() -> None:
    bridge, _ = json.loads(node.files(WORLD, "overlayfs")[WORLD.node_files / "cni" / "10-bridge.conflist"])["plugins"]

    assert bridge["ipam"]["ranges"] == [[{"subnet": WORLD.pod_cidr}]]
    assert Path(bridge["ipam"]["dataDir"]).is_relative_to(WORLD.state)


def test_no_address_of_the_world_is_a_pod_or_service_address() -> None:
    networks = [ipaddress.ip_network(cidr) for cidr in (WORLD.pod_cidr, WORLD.service_cidr)]

    addresses = [ipaddress.ip_address(address) for address in WORLD.addresses]

    assert not [address for address in addresses for network in networks if address in network]
