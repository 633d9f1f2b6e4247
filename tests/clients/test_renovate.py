"""Renovate finds newer tags and their digests, also in a list of more than one page."""

import json
import ssl
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path

import httpx2
import pytest

from lambda_fn.settings import Settings
from testbed.clients.renovate import Update, updates
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.cloud.tokens import Token
from testbed.sandbox.pod import Pod
from testbed.sandbox.progress import say
from testbed.sandbox.world import World
from tests.clients.place import HTTPS_PORT, answers

pytestmark = [pytest.mark.long, pytest.mark.timeout(900), pytest.mark.usefixtures("pod")]

FEW, MANY = "team/released", "team/built"
FEW_TAGS = ("1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0", "latest")
PATCHES = [f"1.0.{number}" for number in range(1100)]
"""They fill the first page: ECR lists tags in the order of their letters."""


@pytest.fixture(scope="module")
def digests(world: World, trust: ssl.SSLContext, token: Token) -> Mapping[str, str]:
    """The digest of each image in the private registry, by `REPOSITORY:TAG`."""
    pushed = {}
    with httpx2.Client(verify=trust, trust_env=False) as session:
        publisher = Publisher(session, world.ecr_host, token.authorization)
        for tag in FEW_TAGS:
            pushed[f"{FEW}:{tag}"] = publisher.image(FEW, tag, [tag.encode()]).digest
        for tag in ("1.1.0", "2.0.0", "1.0.7"):
            image = publisher.image(MANY, tag, [tag.encode()])
            pushed[f"{MANY}:{tag}"] = image.digest
        for tag in PATCHES:
            pushed[f"{MANY}:{tag}"] = publisher.manifest(MANY, tag, image.manifest)
    return pushed


@pytest.fixture
def project(tmp_path: Path, world: World) -> Path:
    """A folder whose files name images at the front door by tag."""
    domain = f"{world.domain}:{HTTPS_PORT}"
    (tmp_path / "renovate.json").write_text(json.dumps({"extends": ["config:recommended", "docker:pinDigests"]}))
    (tmp_path / "Dockerfile").write_text(f"FROM {domain}/{FEW}:1.0.0\nCOPY . /\n")
    (tmp_path / "values.yaml").write_text(f"image:\n  repository: {domain}/{MANY}\n  tag: 1.0.7\n")
    return tmp_path


@pytest.fixture
def expected(digests: Mapping[str, str]) -> Sequence[Update]:
    """The newest version, a newer major one apart from it, and the digest of the tag in use."""
    few, many = ("Dockerfile", FEW), ("values.yaml", MANY)
    changes = (
        (few, "minor", "1.4.0"),
        (few, "pinDigest", "1.0.0"),
        (many, "major", "2.0.0"),
        (many, "minor", "1.1.0"),
        (many, "pinDigest", "1.0.7"),
    )
    return [Update(file, kind, tag, digests[f"{repository}:{tag}"]) for (file, repository), kind, tag in changes]


def test_renovate_finds_newer_tags_on_every_page_and_the_digest_of_each(
    world: World, pod: Pod, control: Control, expected: Sequence[Update], project: Path
) -> None:
    assert sorted(PATCHES)[:1000] == sorted([*PATCHES, "1.1.0", "2.0.0"])[:1000]  # a first page without the update
    mark = control.mark()
    assert updates(world, project) == expected
    assert [line for line in answers(pod) if line["status"] != HTTPStatus.OK] == []
    lists = Counter(entry.path for entry in control.requests(mark).of("registry.tags"))
    assert lists == {
        f"/v2/{FEW}/tags/list": 1 + 1,
        f"/v2/{MANY}/tags/list": 1 + 2,
    }  # a look for a login, then the pages


def test_a_later_run_asks_ecr_only_for_the_lists_and_once_for_each_tag(
    world: World, settings: Settings, control: Control, expected: Sequence[Update], project: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Beside the tags that it proposes, Renovate reads the labels of the newest image or `latest`: six in all."""
    counts = []
    for _ in range(2):
        mark = control.mark()
        assert updates(world, project) == expected
        counts.append(Counter(entry.kind for entry in control.requests(mark).entries))
        time.sleep(settings.proxy.cache.tag_seconds + 1)
    first, later = counts
    with capsys.disabled():
        say(f"renovate: {first.total() - first['s3.layer']} requests to ECR, in a later run {later.total()}")
    assert first == {"registry.tags": 5, "registry.manifests": 2 * 6, "registry.blobs": 2, "s3.layer": 2}
    assert later == {"registry.tags": 5, "registry.manifests": 6}
