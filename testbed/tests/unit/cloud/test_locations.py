"""Locations: as S3 would verify them, as long as asked."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.sandbox.cloud.behaviour import Behaviour
from testbed.sandbox.cloud.hosts import RegistryHost
from testbed.sandbox.cloud.locations import Layer, Signer
from testbed.sandbox.cloud.signature import Received, claim, is_genuine

HOST = RegistryHost("123456789012", "ap-southeast-2")
DIGEST = "ab" * 32
LAYER = Layer.of(HOST, "team/app", f"sha256:{DIGEST}")


def test_a_layer_is_found_again_by_its_path() -> None:
    assert Layer.parse(LAYER.path) == LAYER
    assert LAYER.stored_as == f"docker/registry/v2/blobs/sha256/ab/{DIGEST}/data"


def test_the_owner_of_a_layer_is_account_region_and_repository() -> None:
    others = [
        Layer.of(RegistryHost("210987654321", HOST.region), "team/app", f"sha256:{DIGEST}"),
        Layer.of(RegistryHost(HOST.account, "eu-west-1"), "team/app", f"sha256:{DIGEST}"),
        Layer.of(HOST, "team/other", f"sha256:{DIGEST}"),
    ]

    assert len({LAYER.owner, *(other.owner for other in others)}) == 4


@pytest.mark.parametrize("path", ["/x", f"/1234-123456789012/{DIGEST}", f"/abcdef01-123456789012/{DIGEST}/data"])
def test_any_other_path_is_no_layer(path: str) -> None:
    assert Layer.parse(path) is None


@pytest.mark.parametrize("digest", [DIGEST, f"sha512:{DIGEST * 2}", f"sha256:{DIGEST}/data"])
def test_only_sha256_names_a_layer(digest: str) -> None:
    with pytest.raises(ValueError, match="not a SHA-256 digest"):
        Layer.of(HOST, "team/app", digest)


@given(st.integers(min_value=1024, max_value=40_000))
def test_a_location_is_as_long_as_asked_and_verifies(characters: int) -> None:
    signer = Signer()

    location = signer.location(LAYER, HOST.region, Behaviour(location_characters=characters))

    received = Received("GET", location, {"host": urlsplit(location).netloc})
    assert len(location) == characters
    assert is_genuine(received, claim(received), signer.secret)


def test_new_credentials_void_the_old_locations() -> None:
    signer = Signer()
    location = signer.location(LAYER, HOST.region, Behaviour())

    signer.renew()

    assert claim(Received("GET", location, {})).key_id != signer.key_id
