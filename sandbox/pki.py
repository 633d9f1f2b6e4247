"""The sandbox's certificate authority, the certificates of its parts, and their kubeconfigs."""

import datetime as dt
import ipaddress
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.world import KeyPair, World

VALID_FOR = dt.timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Leaf:
    """What a certificate is for. `names` are DNS names or IP addresses; `group` becomes the Kubernetes group."""

    name: str
    common_name: str
    names: tuple[str, ...] = ()
    group: str | None = None


def leaves(world: World) -> tuple[Leaf, ...]:
    """Every certificate of the sandbox: `world.pair(leaf.name)` is where it lies."""
    return (
        Leaf("aws", world.aws_hosts[0], world.aws_hosts),
        Leaf("ecr", world.ecr_host, world.ecr_hosts),
        Leaf("s3", world.s3_host, (world.s3_host, f"*.{world.s3_host}")),
        Leaf("domain", world.domain, (world.domain,)),
        Leaf(
            "apiserver",
            "kube-apiserver",
            (
                *world.names[world.api_address],
                "kubernetes.default.svc",
                "localhost",
                world.api_address,
                world.service_api_address,
                "127.0.0.1",
            ),
        ),
        Leaf("admin", "admin", group="system:masters"),
        Leaf("kubelet", f"system:node:{world.node}", (world.node, world.api_address), group="system:nodes"),
        Leaf("controller-manager", "system:kube-controller-manager"),
        Leaf("scheduler", "system:kube-scheduler"),
        Leaf("kube-proxy", "system:kube-proxy"),
    )


def create(world: World) -> None:
    """Make the CA, every leaf, the service-account key and the kubeconfigs. Private keys are readable by root only."""
    world.pki.mkdir(parents=True, exist_ok=True)
    authority = _Authority.create()
    _write(world.ca, authority.certificate, authority.key)
    for leaf in leaves(world):
        key = ec.generate_private_key(ec.SECP256R1())
        _write(world.pair(leaf.name), authority.issue(leaf, key), key)
    accounts = ec.generate_private_key(ec.SECP256R1())
    _write_private(world.pki / "service-accounts.key", _pem(accounts))
    for name in ("admin", "kubelet", "controller-manager", "scheduler", "kube-proxy"):
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


@dataclass(frozen=True, slots=True)
class _Authority:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def create(cls) -> "_Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("ecr-frontdoor sandbox CA")
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        builder = (
            _builder(name, name, key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
        )
        return cls(builder.sign(key, hashes.SHA256()), key)

    def issue(self, leaf: Leaf, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
        purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        authority_key = self.key.public_key()
        builder = (
            _builder(_name(leaf.common_name, leaf.group), self.certificate.subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key), critical=False)
        )
        if leaf.names:
            builder = builder.add_extension(_alternative_names(leaf.names), critical=False)
        return builder.sign(self.key, hashes.SHA256())


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + VALID_FOR)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(common_name: str, group: str | None = None) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if group:
        attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, group))
    return x509.Name(attributes)


def _alternative_names(names: Sequence[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_general_name(name) for name in names])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write(pair: KeyPair, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    _write_private(pair.key, _pem(key))


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(encoding, form, serialization.NoEncryption())


def _write_private(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
