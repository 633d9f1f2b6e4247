import dataclasses
from pathlib import Path

import pytest

from testbed.sandbox import lifecycle, setup, tools
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.world import World
from testbed.tests.lifecycle.machine import cgroups_of, processes_of


@pytest.fixture
def with_broken_etcd(world: World, tmp_path: Path) -> World:
    """The world with the same cache, but for an etcd that ends at once."""
    setup.setup(world)
    (tmp_path / "rootfs").symlink_to(world.cache / "rootfs")
    built = tools.folder(tmp_path)
    built.mkdir(parents=True)
    for tool in tools.TOOLS:
        (built / tool.name).symlink_to(tools.folder(world.cache) / tool.name)
    (built / "etcd").unlink()
    (built / "etcd").write_text("#!/bin/sh\necho disk on fire\nexit 9\n")
    (built / "etcd").chmod(0o755)
    return dataclasses.replace(world, cache=tmp_path)


def test_up_quotes_the_part_that_failed_and_cleans_up(with_broken_etcd: World) -> None:
    with pytest.raises(SandboxError) as failure:
        lifecycle.up(with_broken_etcd)

    assert "etcd has ended with status 9" in str(failure.value)
    assert "disk on fire" in str(failure.value)
    assert processes_of(with_broken_etcd) == []
    assert cgroups_of(with_broken_etcd) == []
    assert not with_broken_etcd.state.exists()
