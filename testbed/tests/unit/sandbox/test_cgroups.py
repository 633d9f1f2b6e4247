from pathlib import Path

import pytest

from testbed.sandbox import cgroups
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.world import World


@pytest.fixture
def version_1(tmp_path: Path) -> Path:
    for hierarchy in ("cpu,cpuacct", "memory", "pids"):
        (tmp_path / hierarchy).mkdir()
    (tmp_path / "cpu").symlink_to("cpu,cpuacct")
    return tmp_path


@pytest.fixture
def version_2(tmp_path: Path) -> Path:
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu memory rdma pids\n")
    (tmp_path / "cgroup.subtree_control").write_text("memory\n")
    return tmp_path


def test_version_1_has_one_subtree_in_every_hierarchy_and_none_twice(version_1: Path) -> None:
    cgroups.create("one", version_1)

    assert sorted(path.parent.name for path in version_1.rglob("one")) == ["cpu,cpuacct", "memory", "pids"]


def test_version_2_has_a_single_subtree_with_the_controllers_the_kubelet_counts_on(version_2: Path) -> None:
    cgroups.create("one", version_2)

    assert list(version_2.rglob("one")) == [version_2 / "one"]
    # A real subtree_control adds what is written to it; this one keeps the last word alone.
    assert (version_2 / "cgroup.subtree_control").read_text() == "+pids"


def test_remove_takes_nested_groups_away_and_leaves_others(version_1: Path) -> None:
    cgroups.create("one", version_1)
    cgroups.create("two", version_1)
    (version_1 / "memory" / "one" / "kubepods" / "pod1").mkdir(parents=True)

    cgroups.remove("one", version_1)

    assert not list(version_1.rglob("one"))
    assert (version_1 / "memory" / "two").exists()


def test_remove_of_what_is_not_there_does_nothing(version_2: Path) -> None:
    cgroups.remove("one", version_2)


def test_remove_names_the_group_that_is_still_in_use(version_1: Path) -> None:
    cgroups.create("one", version_1)
    (version_1 / "pids" / "one" / "held").touch()  # stands for a process: the folder cannot be removed

    with pytest.raises(SandboxError, match=r"pids/one is still in use"):
        cgroups.remove("one", version_1, seconds=0.1)


def test_a_sandbox_never_shares_a_group_with_another_one_or_with_a_part_of_the_system() -> None:
    states = ("/var/lib/one", "/var/lib-one", "/var-lib-one", "/srv/one", "/system.slice", "/docker")
    names = {World(state=Path(state)).cgroup for state in states}
    assert len(names) == len(states)
    assert not names & {"var-lib-one", "system.slice", "docker"}
