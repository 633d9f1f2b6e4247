"""What `python -m k8s_manifests` prints, to the real API server: every exposure, every field known to it."""

import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from testbed.sandbox.world import World

EXPOSURES = {
    "ingress": 'kind = "ingress"\nclass_name = "nginx"\ntls_secret = "registry-tls"\nannotations = { a = "b" }',
    # Without the TargetGroupBinding: no API server here knows that kind.
    "nlb": 'kind = "nlb"\ntls_secret = "registry-tls"\nsubnets = { subnet-0a1b2c3d4e5f60718 = "10.1.0.0/24" }',
    "pod": 'kind = "pod"\ntls_secret = "registry-tls"',
    "service": 'kind = "service"',
}


def kubectl(*words: str, objects: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(["kubectl", *words], input=objects, capture_output=True, text=True, check=False)  # noqa: S603, S607 - our own


@pytest.fixture(params=EXPOSURES)
def printed(request: pytest.FixtureRequest, world: World, tmp_path: Path) -> Iterator[str]:
    """The charts for a namespace that exists: a dry run does not make the one the others are in."""
    namespace = f"charts-{uuid.uuid4().hex[:8]}"
    config = tmp_path / "frontdoor.toml"
    config.write_text(
        f'domain = "{world.domain}"\n'
        f'cluster = {{ name = "{world.cluster}", region = "{world.region}", namespace = "{namespace}" }}\n'
        f'registries = [{{ account = "{world.account}", region = "{world.region}" }}]\n'
        f"[proxy.exposure]\n{EXPOSURES[request.param]}\n"
    )
    command = [sys.executable, "-m", "k8s_manifests", "--config", str(config)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own
    (made,) = [document for document in yaml.safe_load_all(text) if document["kind"] == "Namespace"]
    assert kubectl("apply", "-f", "-", objects=yaml.safe_dump(made)).returncode == 0
    yield text
    kubectl("delete", "namespace", namespace, "--wait=false")


def test_the_real_api_server_accepts_every_field_of_every_object(printed: str) -> None:
    done = kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", objects=printed)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr, "Pod Security warns about a pod template that its namespace would refuse"
    kinds = [document["kind"] for document in yaml.safe_load_all(printed)]
    assert len(done.stdout.splitlines()) == len(kinds)


def test_the_real_api_server_refuses_a_field_it_does_not_know(printed: str) -> None:
    misspelt = printed.replace("readOnlyRootFilesystem", "readOnlyRootFileSystem")
    done = kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", objects=misspelt)
    assert done.returncode != 0
    assert "readOnlyRootFileSystem" in done.stderr
