"""cosign verifies signatures under a tag and among the referrers, and lists both."""

from collections.abc import Iterator, Mapping
from typing import get_args

import pytest

from testbed.clients.cosign import Cosign, Form
from testbed.sandbox import installation
from testbed.sandbox.commands import run
from testbed.sandbox.world import World
from tests.clients.place import HTTPS_PORT

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("pod")]

REPOSITORY = "team/verified"


@pytest.fixture(scope="module")
def cosign(world: World) -> Iterator[Cosign]:
    with Cosign.running(world) as client:
        yield client


@pytest.fixture(scope="module")
def digest(cosign: Cosign, world: World, private_login: Mapping[str, str]) -> str:
    """The digest of an image with a signature of each form; another image of the repository has none."""
    environment = installation.logged_in(world)
    private = f"{world.ecr_host}/{REPOSITORY}"
    for tag, archive in (("signed", world.app_archive), ("unsigned", world.proxy_archive)):
        run(("crane", "push", archive, f"{private}:{tag}"), environment=environment)
    found = run(("crane", "digest", f"{private}:signed"), environment=environment).strip()
    assert cosign.make_key().succeeded
    with cosign.logged_in(private_login):
        for form in get_args(Form):
            signed = cosign.sign(f"{private}@{found}", form)
            assert signed.succeeded, signed.output
    return found


@pytest.fixture
def public(world: World, digest: str) -> str:  # noqa: ARG001 - what is pushed comes first
    return f"{world.domain}:{HTTPS_PORT}/{REPOSITORY}"


@pytest.mark.parametrize("form", get_args(Form))
def test_a_signature_is_verified(cosign: Cosign, public: str, digest: str, form: Form) -> None:
    verified = cosign.verify(f"{public}:signed", form)
    assert verified.succeeded, verified.output
    assert digest in verified.output


@pytest.mark.parametrize("form", get_args(Form))
def test_an_image_without_a_signature_is_not_verified(cosign: Cosign, public: str, form: Form) -> None:
    assert not cosign.verify(f"{public}:unsigned", form).succeeded


def test_the_tree_of_an_image_has_the_signatures_of_both_forms(cosign: Cosign, public: str, digest: str) -> None:
    tree = cosign.tree(f"{public}:signed")
    assert tree.succeeded, tree.output
    assert f"{digest.replace(':', '-')}.sig" in tree.output
    assert "https://sigstore.dev/cosign/sign/v1" in tree.output


def test_an_image_is_saved_with_its_signatures(cosign: Cosign, public: str) -> None:
    cosign.forget()
    saved = cosign.pull(f"{public}:signed")
    assert saved.succeeded, saved.output
