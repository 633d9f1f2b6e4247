"""One sandbox: its names and its paths.

Pure but for `World.current` and `default_cache`, which read the environment.
"""

import os
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from platformdirs import user_cache_path

from testbed.sandbox.names import Names

STATE_VARIABLE = "FRONTDOOR_SANDBOX"
"""Environment variable that holds the state folder for whatever runs inside the sandbox."""


def default_cache() -> Path:
    """The folder for what is slow to obtain: built tools, the nginx root filesystem."""
    return user_cache_path("ecr-frontdoor")


@dataclass(frozen=True, slots=True)
class KeyPair:
    """The paths of a certificate and its private key, both PEM."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class World(Names):
    """One sandbox. Two worlds with different state folders can be up at once: they share nothing but the cache.

    Attributes:
        state: Everything one sandbox writes; `down` removes it.
        cache: What outlives a sandbox.
        nginx_root: The root filesystem of the proxy image, with the sandbox's CA in its trust store.
    """

    state: Path = Path("/var/lib/ecr-frontdoor-sandbox")
    cache: Path = field(default_factory=default_cache)

    @classmethod
    def current(cls) -> "World":
        """The world this process runs in.

        Raises:
            RuntimeError: This process is not inside a sandbox.
        """
        state = os.environ.get(STATE_VARIABLE)
        if not state:
            message = (
                f"{STATE_VARIABLE} is not set: run this inside the sandbox, `python -m testbed.sandbox run -- COMMAND`"
            )
            raise RuntimeError(message)
        return cls(state=Path(state))

    @property
    def cgroup(self) -> str:
        """The cgroup subtree of this sandbox's pods alone, below each hierarchy's root."""
        return f"{self.state.name}-{sha256(bytes(self.state)).hexdigest()[:8]}"

    @property
    def pki(self) -> Path:
        """Certificates and keys."""
        return self.state / "pki"

    @property
    def ca(self) -> KeyPair:
        """The one CA of everything in the sandbox; its certificate is also SSL_CERT_FILE and AWS_CA_BUNDLE."""
        return self.pair("ca")

    def pair(self, name: str) -> KeyPair:
        """The certificate called `name`: see `testbed.sandbox.pki` for the names there are."""
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
        """Container images as docker archives; see `testbed.sandbox.image`."""
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
    def registry_storage(self) -> Path:
        """What the registry behind the ECR double stores, layers among it."""
        return self.cloud / "registry"

    @property
    def access_file(self) -> Path:
        """Access entries, in the form of aws-iam-authenticator's DynamicFile; see `testbed.sandbox.access`."""
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
