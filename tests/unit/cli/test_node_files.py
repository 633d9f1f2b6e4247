"""`frontdoor manifests --hosts-toml`: what nodes need to use the front door as a mirror."""

import json
import tomllib
from pathlib import Path

import pytest

from cli.command import main
from cli.node_files import node_files
from lambda_fn.settings.mirrors import Mirror
from tests.unit.settings.files import SMALLEST

ROOT = Path(__file__).parents[3]
DOMAIN = "registry.example.net"


def mirror(upstream: str = "docker.io", upstream_start: str = "", public_start: str = "docker-hub/") -> Mirror:
    return Mirror("docker-hub", upstream, (), upstream_start, public_start)


def files(*mirrors: Mirror) -> dict[str, str]:
    """The files, by the paths in their first lines."""
    found = {text.splitlines()[0].rpartition(": ")[2]: text for text in node_files(DOMAIN, mirrors)}
    return {path: text for path, text in found.items() if path.startswith("/")}


HOSTS, DOCKER = "/etc/containerd/certs.d/docker.io/hosts.toml", "/etc/docker/daemon.json"
PODMAN = "/etc/containers/registries.conf.d/docker.io.conf"


def test_containerd_gets_the_path_of_the_route() -> None:
    assert tomllib.loads(files(mirror())[HOSTS]) == {
        "server": "https://registry-1.docker.io",
        "host": {
            f"https://{DOMAIN}/v2/docker-hub": {"capabilities": ["pull", "resolve"], "override_path": True},
        },
    }


@pytest.mark.parametrize(("upstream_start", "public_start"), [("", ""), ("library/", "base/"), ("", "hub-")])
def test_where_a_path_is_not_enough_containerd_goes_by_its_query(upstream_start: str, public_start: str) -> None:
    found = tomllib.loads(files(mirror("docker.io", upstream_start, public_start))[HOSTS])
    assert found["host"] == {f"https://{DOMAIN}": {"capabilities": ["pull", "resolve"]}}


@pytest.mark.parametrize(("public_start", "path"), [("docker-hub/", "/docker-hub"), ("", "")])
def test_docker_gets_the_mirror_of_docker_hub(public_start: str, path: str) -> None:
    text = files(mirror(public_start=public_start))[DOCKER].partition("\n")[2]
    assert json.loads(text) == {"registry-mirrors": [f"https://{DOMAIN}{path}"]}


def test_nodes_get_no_file_for_renamed_repositories() -> None:
    assert files(Mirror("docker-hub", "docker.io", (), "", "", is_renamed=True)) == {}


def test_docker_has_no_mirrors_of_other_registries() -> None:
    assert DOCKER not in files(mirror("quay.io"))
    assert DOCKER not in files(mirror(upstream_start="library/"))


@pytest.mark.parametrize(
    ("upstream_start", "public_start", "below", "path"),
    [("", "docker-hub/", "", "/docker-hub"), ("library/", "base/", "/library", "/base"), ("", "", "", "")],
)
def test_podman_gets_the_names_at_the_upstream(upstream_start: str, public_start: str, below: str, path: str) -> None:
    (registry,) = tomllib.loads(files(mirror("docker.io", upstream_start, public_start))[PODMAN])["registry"]
    assert registry == {
        "prefix": f"docker.io{below}",
        "location": f"docker.io{below}",
        "mirror": [{"location": f"{DOMAIN}{path}"}],
    }


def test_a_mirror_without_an_upstream_is_left_out() -> None:
    assert list(node_files(DOMAIN, [mirror("")])) == []


def test_the_example_prints_every_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["manifests", "--hosts-toml", "--config", str(ROOT / "examples" / "mirror.toml")]) == 0
    out = capsys.readouterr().out
    for path in (HOSTS, DOCKER, PODMAN, HOSTS.replace("docker.io", "registry.k8s.io"), "NodeConfig"):
        assert path in out


@pytest.mark.parametrize(
    "lines",
    [
        "",
        """pull_through = true
        upstream = "docker.io"
        repositories = []
        renames = { "nginx" = "docker-hub/library/nginx" }
        """,
    ],
    ids=["no upstream", "renamed repositories alone"],
)
def test_without_a_mirror_for_nodes_the_command_says_what_to_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lines: str
) -> None:
    (tmp_path / "my.toml").write_text(SMALLEST.replace("[[registries]]\n", f"[[registries]]\n{lines}"))
    assert main(["manifests", "--hosts-toml", "--config", str(tmp_path / "my.toml")]) == 2
    assert "set pull_through and upstream" in capsys.readouterr().err
