"""The names, addresses and paths of the sandbox: the one place where each of them is written.

Pure but for `World.current` and `default_cache`, which read the environment.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

STATE_VARIABLE = "FRONTDOOR_SANDBOX"
"""Environment variable that holds the state folder for whatever runs inside the sandbox."""


def default_cache() -> Path:
    """The folder for what is slow to obtain: built tools, the nginx root filesystem."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "ecr-frontdoor"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """Where a certificate and its private key lie, both PEM."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class World:
    """One sandbox. Two worlds with different state folders can be up at once: they share nothing but the cache.

    Attributes:
        state: Everything one sandbox writes; `down` removes it.
        cache: What outlives a sandbox.
        other_account: A second account whose registry the same token reads.
        nginx_root: The root filesystem of the proxy image, with the sandbox's CA in its trust store.
    """

    state: Path = Path("/var/lib/ecr-frontdoor-sandbox")
    cache: Path = field(default_factory=default_cache)

    account: str = "123456789012"
    other_account: str = "210987654321"
    region: str = "ap-southeast-2"
    cluster: str = "shared"
    namespace: str = "registry"
    domain: str = "registry.frontdoor.test"
    node: str = "node1"
    refresher_role: str = "frontdoor-refresher"
    refresher_group: str = "ecr-frontdoor:refresher"
    app_repository: str = "team/app"
    app_tag: str = "1.4"
    proxy_repository: str = "frontdoor/nginx"

    dns_address: str = "192.0.2.1"
    api_address: str = "192.0.2.2"
    aws_address: str = "192.0.2.10"
    ecr_address: str = "192.0.2.20"
    s3_address: str = "192.0.2.30"
    api_port: int = 6443
    pod_cidr: str = "10.244.0.0/24"
    service_cidr: str = "10.96.0.0/16"
    service_api_address: str = "10.96.0.1"

    @classmethod
    def current(cls) -> "World":
        """The world this process runs in.

        Raises:
            RuntimeError: This process is not inside a sandbox.
        """
        state = os.environ.get(STATE_VARIABLE)
        if not state:
            message = f"{STATE_VARIABLE} is not set: run this inside the sandbox, `python -m sandbox run -- COMMAND`"
            raise RuntimeError(message)
        return cls(state=Path(state))

    # --- names -------------------------------------------------------------------------------------------------------

    @property
    def refresher_role_arn(self) -> str:
        """The role the Lambda runs as."""
        return f"arn:aws:iam::{self.account}:role/{self.refresher_role}"

    @property
    def ecr_host(self) -> str:
        """The private registry's own host name."""
        return self.registry_host(self.account)

    @property
    def ecr_hosts(self) -> tuple[str, ...]:
        """Host names of every registry there is."""
        return self.registry_host(self.account), self.registry_host(self.other_account)

    def registry_host(self, account: str) -> str:
        """The host name of an account's registry, as `proxyEndpoint` gives it."""
        return f"{account}.dkr.ecr.{self.region}.amazonaws.com"

    @property
    def layer_bucket(self) -> str:
        """The bucket ECR keeps layers in."""
        return f"prod-{self.region}-starport-layer-bucket"

    @property
    def layer_host(self) -> str:
        """The host a blob's 307 leads to."""
        return f"{self.layer_bucket}.{self.s3_host}"

    @property
    def s3_host(self) -> str:
        """S3 in path style."""
        return f"s3.{self.region}.amazonaws.com"

    @property
    def aws_hosts(self) -> tuple[str, ...]:
        """The AWS APIs a refresh speaks to."""
        return tuple(f"{name}.{self.region}.amazonaws.com" for name in ("sts", "eks", "api.ecr"))

    @property
    def names(self) -> dict[str, tuple[str, ...]]:
        """Address -> the host names that resolve to it, everywhere inside the sandbox and in its pods."""
        return {
            "127.0.0.1": ("localhost",),
            self.api_address: (self.node, "kubernetes.frontdoor.test"),
            self.aws_address: self.aws_hosts,
            self.ecr_address: self.ecr_hosts,
            self.s3_address: (self.s3_host, self.layer_host),
        }

    @property
    def addresses(self) -> tuple[str, ...]:
        """Addresses of the network namespace itself, each a /32 on `lo`."""
        return self.dns_address, self.api_address, self.aws_address, self.ecr_address, self.s3_address

    @property
    def api_url(self) -> str:
        """The Kubernetes API server."""
        return f"https://{self.api_address}:{self.api_port}"

    @property
    def app_image(self) -> str:
        """The image developers pull, at its private address."""
        return f"{self.ecr_host}/{self.app_repository}:{self.app_tag}"

    @property
    def cgroup(self) -> str:
        """The cgroup subtree of the sandbox's pods, below each hierarchy's root."""
        return self.state.name

    # --- paths -------------------------------------------------------------------------------------------------------

    @property
    def pki(self) -> Path:
        """Certificates and keys."""
        return self.state / "pki"

    @property
    def ca(self) -> KeyPair:
        """The one CA of everything in the sandbox; its certificate is also SSL_CERT_FILE and AWS_CA_BUNDLE."""
        return self.pair("ca")

    def pair(self, name: str) -> KeyPair:
        """The certificate called `name`: see `sandbox.pki` for the names there are."""
        return KeyPair(self.pki / f"{name}.crt", self.pki / f"{name}.key")

    @property
    def kubeconfig(self) -> Path:
        """Cluster administrator's kubeconfig (client certificate, embedded)."""
        return self.state / "kube" / "admin.conf"

    @property
    def logs(self) -> Path:
        """One log file per part: `<part>.log`."""
        return self.state / "logs"

    @property
    def hosts_file(self) -> Path:
        """The file that is /etc/hosts inside, and that dnsmasq answers from."""
        return self.state / "etc" / "hosts"

    @property
    def resolver_file(self) -> Path:
        """The file that is /etc/resolv.conf inside."""
        return self.state / "etc" / "resolv.conf"

    @property
    def images(self) -> Path:
        """Container images as docker archives; see `sandbox.image`."""
        return self.state / "images"

    @property
    def proxy_archive(self) -> Path:
        """The proxy's image; its version is nginx's."""
        return self.images / "proxy.tar"

    @property
    def app_archive(self) -> Path:
        """A developer's image, of several layers."""
        return self.images / "app.tar"

    @property
    def nginx_root(self) -> Path:
        """See the class."""
        return self.state / "nginx"

    @property
    def cloud(self) -> Path:
        """The folder of the AWS and ECR double."""
        return self.state / "cloud"

    @property
    def access_file(self) -> Path:
        """Access entries, in the form of aws-iam-authenticator's DynamicFile; see `sandbox.access`."""
        return self.state / "access.json"

    @property
    def run(self) -> Path:
        """Sockets and pid files."""
        return self.state / "run"

    @property
    def authenticator(self) -> Path:
        """aws-iam-authenticator's folder: its configuration, its own certificate, the webhook's kubeconfig."""
        return self.state / "authenticator"

    @property
    def node_files(self) -> Path:
        """The configuration of containerd, kubelet and kube-proxy."""
        return self.state / "node"

    @property
    def kubelet_root(self) -> Path:
        """The kubelet's folder: the pods' volumes."""
        return self.state / "kubelet"

    @property
    def dns_pid_file(self) -> Path:
        """Dnsmasq's pid, as seen inside."""
        return self.run / "dnsmasq.pid"

    @property
    def containerd_socket(self) -> Path:
        """For `ctr --address`; images the kubelet sees are in containerd's namespace `k8s.io`."""
        return self.run / "containerd.sock"
