"""What the catalogue makes of the signatures of cosign and the charts of Helm, read from the double of ECR."""

import uuid
from collections.abc import Mapping
from typing import get_args

import boto3
import pytest

from lambda_fn.edges.clock import LambdaClock
from lambda_fn.edges.ecr_catalogue import EcrCatalogue
from lambda_fn.job.catalogue.round import Run
from lambda_fn.settings.registry import Registry
from lambda_fn.settings.routing import Routing
from testbed.clients.cosign import Cosign, Form
from testbed.clients.helm import Helm
from testbed.sandbox import installation
from testbed.sandbox.commands import run
from testbed.sandbox.world import World
from tests.fakes.context import FakeContext
from tests.fakes.ecr_catalogue import FakeFiles

pytestmark = pytest.mark.long


@pytest.fixture
def folder() -> str:
    """Repositories of this test alone."""
    return f"team/{uuid.uuid4().hex[:12]}"


def whole_round(world: World, folder: str) -> FakeFiles:
    """The catalogue of the repositories in a folder."""
    session: boto3.Session = installation.session(world, "default")
    clock, files = LambdaClock(FakeContext()), FakeFiles()
    ecr = EcrCatalogue(clock, lambda region: session.client("ecr", region_name=region))
    registry = Registry(account=world.account, region=world.region, repositories=(f"{folder}/*",))
    report = Run(Routing([registry]), ecr, files, clock, findings=False).continue_round()
    assert (report.left, report.problems) == (0, ())
    return files


def test_an_image_that_cosign_signed_is_signed(world: World, private_login: Mapping[str, str], folder: str) -> None:
    environment, private = installation.logged_in(world), f"{world.ecr_host}/{folder}"
    with Cosign.running(world) as cosign:
        assert cosign.make_key().succeeded
        for name in ("unsigned", *get_args(Form)):
            run(("crane", "push", world.app_archive, f"{private}/{name}:1"), environment=environment)
        digest = run(("crane", "digest", f"{private}/unsigned:1"), environment=environment).strip()
        with cosign.logged_in(private_login):
            for form in get_args(Form):
                signed = cosign.sign(f"{private}/{form}@{digest}", form)
                assert signed.succeeded, signed.output
    files = whole_round(world, folder)
    found = {name: files.images(f"{folder}/{name}") for name in ("unsigned", *get_args(Form))}
    assert [image["tags"] for images in found.values() for image in images] == [["1"]] * 3, "and no tag of a signature"
    assert {name: images[0]["signed"] for name, images in found.items()} == {
        "unsigned": False,
        "tag": True,
        "referrer": True,
    }


def test_a_chart_that_helm_pushed_is_a_chart_with_its_annotations(
    world: World, private_login: Mapping[str, str], folder: str
) -> None:
    with Helm.running(world) as helm, helm.logged_in(private_login):
        pushed = helm.push("demo", "1.2.3", f"{world.ecr_host}/{folder}")
        assert pushed.succeeded, pushed.output
    (found,) = whole_round(world, folder).images(f"{folder}/demo")
    assert (found["kind"], found["tags"], found["platforms"]) == ("chart", ["1.2.3"], [])
    assert found["labels"]["org.opencontainers.image.title"] == "demo"
    assert found["labels"]["org.opencontainers.image.version"] == "1.2.3"
