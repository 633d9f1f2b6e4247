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


def test_a_root_filesystem_counts_as_complete_only_when_it_is_packed(tmp_path: Path) -> None:
    filesystem = rootfs.nginx(tmp_path)
    filesystem.root.mkdir(parents=True)
    assert not filesystem.is_complete()

    filesystem.blob.touch()

    assert filesystem.is_complete()
