import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from testbed.sandbox import pki
from testbed.sandbox.world import World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(state=tmp_path_factory.mktemp("state"))
    pki.create(world)
    return world


def verified(world: World, name: str, host: str) -> None:
    authority = x509.load_pem_x509_certificate(world.ca.certificate.read_bytes())
    leaf = x509.load_pem_x509_certificate(world.pair(name).certificate.read_bytes())
    PolicyBuilder().store(Store([authority])).build_server_verifier(x509.DNSName(host)).verify(leaf, [])


def test_every_aws_name_of_the_world_is_served_under_a_certificate_for_it(world: World) -> None:
    served = {
        "aws": world.aws_hosts,
        "ecr": (*world.ecr_hosts, world.replica_host),
        "s3": (world.s3_host, world.layer_host, world.replica_layer_host),
    }
    for name, hosts in served.items():
        for host in hosts:
            verified(world, name, host)
    verified(world, "domain", world.domain)


def test_a_certificate_serves_no_name_of_another_part(world: World) -> None:
    with pytest.raises(VerificationError):
        verified(world, "ecr", world.domain)


def test_the_certificate_and_its_key_belong_together(world: World) -> None:
    for leaf in pki.leaves(world):
        pair = world.pair(leaf.name)
        key = serialization.load_pem_private_key(pair.key.read_bytes(), None)
        certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        public = certificate.public_key()
        assert isinstance(public, ec.EllipticCurvePublicKey)
        public.verify(key.sign(b"message", ec.ECDSA(hashes.SHA256())), b"message", ec.ECDSA(hashes.SHA256()))


def test_kubernetes_sees_the_kubelet_as_this_node(world: World) -> None:
    certificate = x509.load_pem_x509_certificate(world.pair("kubelet").certificate.read_bytes())

    assert certificate.subject.rfc4514_string() == f"CN=system:node:{world.node},O=system:nodes"


def test_private_keys_are_readable_by_their_owner_alone(world: World) -> None:
    keys = list(world.state.rglob("*.key"))

    assert len(keys) == len(pki.leaves(world)) + 2
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}


def test_kubeconfigs_name_files_that_exist(world: World) -> None:
    config = pki.kubeconfig(world, world.pair("admin"))

    user = config["users"][0]["user"]  # type: ignore[index]

    assert all(Path(path).exists() for path in user.values())
