"""Settings and finders for the chart tests."""

from typing import Any

from k8s_manifests import documents
from lambda_fn.settings import Settings, parse_toml

INGRESS = 'kind = "ingress"\nclass_name = "nginx"\ntls_secret = "registry-tls"'
POD = 'kind = "pod"\ntls_secret = "registry-tls"'
SERVICE = 'kind = "service"'
_NLB = (
    'kind = "nlb"\nsubnets = { subnet-0a1b2c3d4e5f60718 = "10.1.0.0/24", subnet-18f0e5d4c3b2a1907 = "10.1.1.0/24" }\n'
)
NLB = f'{_NLB}certificate_zone_id = "Z0123456789PUBLIC"'
NLB_AUTO_MODE = f'{NLB}\ncontroller = "eks-auto-mode"'
NLB_THROUGH = f'{_NLB}tls_secret = "registry-tls"'

Document = dict[str, Any]


def settings(exposure: str = INGRESS, *, proxy: str = "", more: str = "", manifests: str = "kubectl") -> Settings:
    """Settings of one registry with the given lines in `[proxy.exposure]`, in `[proxy]` and at the end."""
    text = f"""
        manifests = "{manifests}"
        domain = "registry.shrd.example.net"
        cluster = {{ name = "shared", region = "ap-southeast-2" }}
        registries = [{{ account = "123456789012", region = "ap-southeast-2", repositories = ["team/*"] }}]
        [proxy]
        {proxy}
        [proxy.exposure]
        {exposure}
        {more}
    """
    return parse_toml(text, "the test's settings")


def find(kind: str, of: Settings, *, name: str | None = None) -> Document:
    """The one object of a kind (and name)."""
    found = [d for d in documents(of) if d["kind"] == kind and name in (None, d["metadata"]["name"])]
    assert len(found) == 1, f"{len(found)} objects of kind {kind}"
    return found[0]


def pod(of: Settings) -> Document:
    """The pod of the Deployment."""
    spec: Document = find("Deployment", of)["spec"]["template"]["spec"]
    return spec


def container(of: Settings) -> Document:
    """The container that serves."""
    (nginx,) = pod(of)["containers"]
    assert isinstance(nginx, dict)
    return nginx


def check(of: Settings) -> Document:
    """The init container."""
    (init,) = pod(of)["initContainers"]
    assert isinstance(init, dict)
    return init
