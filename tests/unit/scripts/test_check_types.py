from pathlib import Path

from scripts.check_types import keep, restore


def test_what_one_checkout_keeps_is_restored_in_another(tmp_path: Path) -> None:
    cache, archive, other = tmp_path / "one", tmp_path / "user" / "mypy.tar", tmp_path / "other"
    (cache / "3.11").mkdir(parents=True)
    (cache / "3.11" / "cache.db").write_bytes(b"first")
    keep(cache, archive)
    (cache / "3.11" / "cache.db").write_bytes(b"second")
    keep(cache, archive)

    restore(archive, other)

    assert (other / "3.11" / "cache.db").read_bytes() == b"second"
    assert [path.name for path in archive.parent.iterdir()] == ["mypy.tar"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "other", "user"]
