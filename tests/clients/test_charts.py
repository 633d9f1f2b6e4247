"""Helm pulls a chart by version, by digest, and the latest one."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus

import pytest

from testbed.clients.helm import Helm
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.world import World
from tests.clients.matrix import AWAY
from tests.clients.place import HTTPS_PORT

FOLDER, CHART = "team/charts", "demo"


@pytest.fixture(scope="module")
def helm(world: World) -> Iterator[Helm]:
    with Helm.running(world) as client:
        yield client


@pytest.fixture(scope="module")
def digest(helm: Helm, world: World, private_login: Mapping[str, str]) -> str:
    """The newest of two versions of a chart in the private registry."""
    with helm.logged_in(private_login):
        for version in ("1.0.0", "1.1.0"):
            pushed = helm.push(CHART, version, f"{world.ecr_host}/{FOLDER}")
            assert pushed.succeeded, pushed.output
    found = re.search(r"sha256:[0-9a-f]{64}", pushed.output)
    assert found, pushed.output
    return found[0]


@pytest.fixture
def chart(world: World) -> str:
    return f"{world.domain}:{HTTPS_PORT}/{FOLDER}/{CHART}"


@pytest.mark.usefixtures("pod")
@pytest.mark.parametrize("end", [":1.1.0", "@{digest}"])
def test_helm_pulls_a_chart_by_version_and_digest_also_without_ecr(
    helm: Helm, digest: str, chart: str, control: Control, end: str
) -> None:
    reference = chart + end.format(digest=digest)
    first = pulled(helm, reference)
    with control.behaving(AWAY):
        assert pulled(helm, reference) == first


@pytest.mark.usefixtures("pod", "digest")
def test_helm_finds_the_latest_version_of_a_chart_only_with_ecr(helm: Helm, chart: str, control: Control) -> None:
    """Lists are not cached. A version that has been pulled stays available."""
    latest = pulled(helm, chart)
    with control.behaving(AWAY):
        outcome = helm.pull(chart)
        assert not outcome.succeeded
        assert str(HTTPStatus.SERVICE_UNAVAILABLE.value) in outcome.output
        assert pulled(helm, f"{chart}:1.1.0") == latest


def pulled(helm: Helm, reference: str) -> str:
    """The SHA-256 of the one file that helm writes."""
    helm.forget()
    outcome = helm.pull(reference)
    assert outcome.succeeded, outcome.output
    (file,) = (helm.enclosure.folder / helm.target.name).iterdir()
    return hashlib.sha256(file.read_bytes()).hexdigest()
