import re
from pathlib import Path

import pytest

from testbed.sandbox import rootfs
from testbed.sandbox.errors import SandboxError


@pytest.mark.parametrize(
    ("distribution", "suite"),
    [
        ({"ID": "debian"}, "sid"),
        ({"ID": "ubuntu", "ID_LIKE": "debian"}, "devel"),
        ({"ID": "linuxmint", "ID_LIKE": "ubuntu debian"}, "devel"),
        ({"ID": "raspbian", "ID_LIKE": "debian"}, "sid"),
    ],
)
def test_packages_come_from_the_newest_suite_of_the_distribution(distribution: dict[str, str], suite: str) -> None:
    assert rootfs.newest_suite(distribution)[0] == suite


def test_another_distribution_is_refused_with_those_that_work() -> None:
    with pytest.raises(SandboxError, match="distribution 'fedora' is not supported; use one of debian, ubuntu"):
        rootfs.newest_suite({"ID": "fedora"})


def test_another_version_of_nginx_is_refused_with_both_versions_and_both_fixes() -> None:
    with pytest.raises(SandboxError) as caught:
        rootfs.require_nginx("1.31.0", "1.30.6")
    for named in ("1.31.0", "1.30.6", rootfs.NGINX_VARIABLE, rootfs.MIRROR_VARIABLE, "proxy.image"):
        assert named in str(caught.value)


def test_the_required_nginx_is_the_shipped_images(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(rootfs.NGINX_VARIABLE, raising=False)
    shipped = rootfs.nginx(tmp_path)
    assert re.fullmatch(r"\d+\.\d+\.\d+", rootfs.required_nginx())
    rootfs.require_nginx(rootfs.SHIPPED_NGINX, rootfs.required_nginx())

    monkeypatch.setenv(rootfs.NGINX_VARIABLE, "1.31.0")

    assert rootfs.required_nginx() == "1.31.0"
    assert rootfs.nginx(tmp_path).folder != shipped.folder


def test_a_root_filesystem_counts_as_complete_only_when_it_is_packed(tmp_path: Path) -> None:
    filesystem = rootfs.nginx(tmp_path)
    filesystem.root.mkdir(parents=True)
    assert not filesystem.is_complete()

    filesystem.blob.touch()

    assert filesystem.is_complete()
