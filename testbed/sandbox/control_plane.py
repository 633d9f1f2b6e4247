"""The control plane's parts and their flags. Pure: it describes programs and starts none."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from testbed.sandbox import kubernetes
from testbed.sandbox.cloud.endpoints import CONTROL_PORT, LOOPBACK
from testbed.sandbox.interpreter import PYTHON
from testbed.sandbox.processes import Part, listens
from testbed.sandbox.world import World

AUTHENTICATOR_HEALTH_PORT = 21363
ETCD = "http://127.0.0.1:2379"


def cloud(world: World) -> Part:
    """AWS as seen from a VPC: the APIs, ECR and S3, at their real names."""
    # Its control API opens last: see `testbed.sandbox.cloud.control_api`.
    ready = listens(LOOPBACK, CONTROL_PORT)
    return Part("cloud", (str(PYTHON), "-m", "testbed.sandbox.cloud", "--state", str(world.state)), ready)


def dns(world: World) -> Part:
    """Dnsmasq on port 53: it answers from /etc/hosts, and NXDOMAIN for any other name."""
    command = (
        "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--log-facility=-",
        f"--pid-file={world.dns_pid_file}", f"--listen-address={world.dns_address}", "--bind-interfaces",
        "--no-resolv", "--local=/#/", "--local-ttl=1",
    )  # fmt: skip
    return Part("dnsmasq", command, listens(world.dns_address, 53))


def etcd(world: World, tools: Path) -> Part:
    """Etcd without fsync: the sandbox's data need not survive it."""
    peer = "http://127.0.0.1:2380"
    command = (
        str(tools / "etcd"), f"--data-dir={world.state / 'etcd'}", "--unsafe-no-fsync",
        f"--listen-client-urls={ETCD}", f"--advertise-client-urls={ETCD}",
        f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=default={peer}",
    )  # fmt: skip
    return Part("etcd", command, listens("127.0.0.1", 2379))


def authenticator(world: World, tools: Path) -> Part:
    """The API server's token webhook; it calls the double at STS's own name."""
    command = (
        str(tools / "aws-iam-authenticator"), "server", f"--cluster-id={world.cluster}",
        "--backend-mode=DynamicFile", f"--config={world.authenticator / 'config.yaml'}",
        f"--state-dir={world.authenticator}", f"--generate-kubeconfig={world.authenticator / 'webhook.conf'}",
    )  # fmt: skip
    environment = {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": world.region,
        "SSL_CERT_FILE": str(world.ca.certificate),
    }
    return Part("authenticator", command, listens("127.0.0.1", AUTHENTICATOR_HEALTH_PORT), environment)


def authenticator_configuration(world: World) -> dict[str, object]:
    """Settings of aws-iam-authenticator that have no flag."""
    return {"server": {"dynamicfilepath": str(world.access_file)}}


def api_server(world: World, tools: Path) -> Part:
    """kube-apiserver with RBAC, NodeRestriction and the token webhook, whose answers it caches for one second."""
    serving, admin = world.pair("apiserver"), world.pair("admin")
    service_accounts = world.pki / "service-accounts.key"
    command = (
        str(tools / "kube-apiserver"),
        f"--etcd-servers={ETCD}",
        f"--bind-address={world.api_address}", f"--advertise-address={world.api_address}",
        f"--secure-port={world.api_port}", f"--service-cluster-ip-range={world.service_cidr}",
        f"--tls-cert-file={serving.certificate}", f"--tls-private-key-file={serving.key}",
        f"--client-ca-file={world.ca.certificate}",
        f"--service-account-key-file={service_accounts}", f"--service-account-signing-key-file={service_accounts}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
        "--kubelet-preferred-address-types=InternalIP", f"--kubelet-certificate-authority={world.ca.certificate}",
        f"--kubelet-client-certificate={admin.certificate}", f"--kubelet-client-key={admin.key}",
        f"--authentication-token-webhook-config-file={world.authenticator / 'webhook.conf'}",
        "--authentication-token-webhook-cache-ttl=1s",
    )  # fmt: skip
    return Part("kube-apiserver", command, partial(kubernetes.api_server_is_ready, world))


def controllers(world: World, tools: Path) -> Sequence[Part]:
    """The controller manager and the scheduler."""
    manager = (
        str(tools / "kube-controller-manager"),
        f"--kubeconfig={world.kubeconfig.with_name('controller-manager.conf')}",
        f"--service-account-private-key-file={world.pki / 'service-accounts.key'}",
        f"--root-ca-file={world.ca.certificate}", "--use-service-account-credentials=true",
        "--leader-elect=false", "--bind-address=127.0.0.1",
        # Each controller first creates its own account: at the default of 20 requests a second that takes 4 s.
        "--kube-api-qps=200", "--kube-api-burst=400",
    )  # fmt: skip
    scheduler = (
        str(tools / "kube-scheduler"), f"--kubeconfig={world.kubeconfig.with_name('scheduler.conf')}",
        "--leader-elect=false", "--bind-address=127.0.0.1",
    )  # fmt: skip
    return (
        Part("kube-controller-manager", manager, partial(kubernetes.service_account_exists, world)),
        Part("kube-scheduler", scheduler, listens("127.0.0.1", 10259)),
    )
