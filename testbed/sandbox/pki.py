"""The sandbox's certificate authority, the certificates of its parts, and their kubeconfigs."""

import json
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from testbed.sandbox.certificates import Authority, Leaf
from testbed.sandbox.world import KeyPair, World

KUBECONFIGS = ("admin", "kubelet", "controller-manager", "scheduler", "kube-proxy")
"""Client certificates that get a kubeconfig of the same name beside `World.kubeconfig`."""


def leaves(world: World) -> tuple[Leaf, ...]:
    """Every certificate of the sandbox: `world.pair(leaf.name)` is its path."""
    return (
        Leaf("aws", world.aws_hosts[0], world.aws_hosts),
        Leaf("ecr", world.ecr_host, (*world.ecr_hosts, world.replica_host)),
        Leaf("s3", world.s3_host, (world.s3_host, f"*.{world.s3_host}", world.replica_layer_host, world.cdn_host)),
        Leaf("domain", world.domain, (world.domain, world.new_domain)),
        Leaf("apiserver", "kube-apiserver", (*world.api_names, world.api_address, world.service_api_address)),
        Leaf("admin", "admin", group="system:masters"),
        Leaf("kubelet", f"system:node:{world.node}", (world.node, world.api_address), group="system:nodes"),
        Leaf("controller-manager", "system:kube-controller-manager"),
        Leaf("scheduler", "system:kube-scheduler"),
        Leaf("kube-proxy", "system:kube-proxy"),
    )


def create(world: World) -> None:
    """Make the CA, every leaf, the service-account key and the kubeconfigs. Private keys are readable by root only."""
    world.pki.mkdir(parents=True, exist_ok=True)
    authority = Authority.create()
    _write(world.ca, authority.certificate, authority.key)
    for leaf in leaves(world):
        key = ec.generate_private_key(ec.SECP256R1())
        _write(world.pair(leaf.name), authority.issue(leaf, key), key)
    accounts = ec.generate_private_key(ec.SECP256R1())
    _write_private(world.pki / "service-accounts.key", _pem(accounts))
    for name in KUBECONFIGS:
        path = world.kubeconfig.with_name(f"{name}.conf")
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_private(path, json.dumps(kubeconfig(world, world.pair(name))).encode())


def kubeconfig(world: World, client: KeyPair) -> dict[str, object]:
    """A kubeconfig (JSON is YAML) for the sandbox's API server that names its certificates by path."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": world.cluster,
                "cluster": {"server": world.api_url, "certificate-authority": str(world.ca.certificate)},
            }
        ],
        "users": [
            {
                "name": client.key.stem,
                "user": {"client-certificate": str(client.certificate), "client-key": str(client.key)},
            }
        ],
        "contexts": [{"name": world.cluster, "context": {"cluster": world.cluster, "user": client.key.stem}}],
        "current-context": world.cluster,
    }


def _write(pair: KeyPair, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    _write_private(pair.key, _pem(key))


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(encoding, form, serialization.NoEncryption())


def _write_private(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
