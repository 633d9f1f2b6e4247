"""The node's parts and their configuration: containerd, kubelet, kube-proxy. Pure: it describes and starts nothing."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from testbed.sandbox import kubernetes
from testbed.sandbox.processes import Part, listens, serves
from testbed.sandbox.world import World

PAUSE_IMAGE = "localhost/pause:1"
CNI_PLUGINS = Path("/usr/lib/cni")


def containerd(world: World) -> Part:
    """Containerd with folders and a socket of its own."""
    command = ("containerd", "--config", str(world.node_files / "containerd.toml"))
    return Part("containerd", command, serves(world.containerd_socket))


def kubelet(world: World, tools: Path) -> Part:
    """The kubelet; ready when the API server shows the node as Ready."""
    command = (
        str(tools / "kubelet"), f"--config={world.node_files / 'kubelet.json'}",
        f"--kubeconfig={world.kubeconfig.with_name('kubelet.conf')}",
        f"--hostname-override={world.node}", f"--node-ip={world.api_address}", f"--root-dir={world.kubelet_root}",
    )  # fmt: skip
    return Part("kubelet", command, partial(kubernetes.node_is_ready, world))


def kube_proxy(world: World, tools: Path) -> Part:
    """kube-proxy in iptables mode."""
    command = (str(tools / "kube-proxy"), f"--config={world.node_files / 'kube-proxy.json'}",
               f"--hostname-override={world.node}")  # fmt: skip
    return Part("kube-proxy", command, listens("127.0.0.1", 10256))


def files(world: World, snapshotter: str) -> Mapping[Path, str]:
    """Path -> content of every configuration file of the node; `snapshotter` is containerd's name of it."""
    return {
        world.node_files / "containerd.toml": containerd_configuration(world, snapshotter),
        world.node_files / "kubelet.json": json.dumps(kubelet_configuration(world)),
        world.node_files / "kube-proxy.json": json.dumps(kube_proxy_configuration(world)),
        world.node_files / "cni" / "10-bridge.conflist": json.dumps(cni_configuration(world)),
        **{
            world.node_files / "certs.d" / host / "hosts.toml": registry_configuration(world, host)
            for host in (*world.ecr_hosts, world.domain)
        },
    }


def containerd_configuration(world: World, snapshotter: str) -> str:
    """Containerd's configuration, version 2, which 1.6 to 2.x read."""
    return f"""\
version = 2
root = "{world.state / "containerd"}"
state = "{world.run / "containerd"}"
[grpc]
  address = "{world.containerd_socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{snapshotter}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI_PLUGINS}"
    conf_dir = "{world.node_files / "cni"}"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{world.node_files / "certs.d"}"
"""


def registry_configuration(world: World, host: str) -> str:
    """A registry's hosts.toml: its own name over TLS, under the sandbox's CA."""
    return f"""\
server = "https://{host}"
[host."https://{host}"]
  capabilities = ["pull", "resolve"]
  ca = "{world.ca.certificate}"
"""


def cni_configuration(world: World) -> dict[str, object]:
    """One bridge for every pod; the node is its gateway."""
    ipam = {
        "type": "host-local",
        "dataDir": str(world.run / "cni"),
        "ranges": [[{"subnet": world.pod_cidr}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "ipMasq": True, "hairpinMode": True, "ipam": ipam}
    portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge, portmap]}


def kubelet_configuration(world: World) -> dict[str, object]:
    """A kubelet that follows Secrets and failures quickly, and has all pods in the sandbox's own cgroup."""
    serving = world.pair("kubelet")
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": world.api_address,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(world.ca.certificate)},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(serving.certificate),
        "tlsPrivateKeyFile": str(serving.key),
        "containerRuntimeEndpoint": f"unix://{world.containerd_socket}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{world.cgroup}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "clusterDNS": [world.dns_address],
        "clusterDomain": "cluster.local",
        "configMapAndSecretChangeDetectionStrategy": "Watch",
        "syncFrequency": "5s",
        "nodeStatusUpdateFrequency": "2s",
        "crashLoopBackOff": {"maxContainerRestartPeriod": "5s"},
        "featureGates": {"KubeletCrashLoopBackOffMax": True},
        "shutdownGracePeriod": "0s",
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {"nodefs.available": "1%", "imagefs.available": "1%", "memory.available": "50Mi"},
    }


def kube_proxy_configuration(world: World) -> dict[str, object]:
    """kube-proxy that does not change conntrack's settings, which belong to the whole machine."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clientConnection": {"kubeconfig": str(world.kubeconfig.with_name("kube-proxy.conf"))},
        "clusterCIDR": world.pod_cidr,
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        "conntrack": {
            "maxPerCore": 0,
            "min": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
        "iptables": {"minSyncPeriod": "0s", "syncPeriod": "10s"},
    }


def parts(world: World, tools: Path) -> Sequence[Part]:
    """What the node runs once the API server is ready."""
    return kubelet(world, tools), kube_proxy(world, tools)
