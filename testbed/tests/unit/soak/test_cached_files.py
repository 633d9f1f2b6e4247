"""Files of nginx's cache as the soak makes and damages them."""

import hashlib
import random
from pathlib import Path

import pytest

from testbed.soak import cached_files


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    cached_files.pretend(tmp_path, 1)
    return cached_files.cached(tmp_path)


@pytest.fixture
def chance() -> random.Random:
    return random.Random(1)  # noqa: S311 - the same damage in every run


def test_a_pretended_cache_has_a_file_for_each_slice(files: list[Path]) -> None:
    assert len(files) == 256
    assert sum(file.stat().st_size for file in files) > 1 << 30
    assert sum(file.stat().st_blocks for file in files) < 256 * 16, "their bodies are holes"


def test_a_pretended_blob_lacks_its_first_slice(files: list[Path]) -> None:
    firsts = sorted(int(cached_files.key(file).split("=")[1].split("-")[0]) for file in files)
    assert firsts == [number * cached_files.SLICE_BYTES for number in range(1, 257)]


def test_the_name_of_a_file_is_the_hash_of_its_key(files: list[Path]) -> None:
    keys = [cached_files.key(file) for file in files]
    assert [hashlib.md5(key.encode(), usedforsecurity=False).hexdigest() for key in keys] == [f.name for f in files]


def test_a_flip_changes_one_bit_and_no_time(tmp_path: Path, chance: random.Random) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(100))
    before = file.stat()
    cached_files.flip(file, chance)
    assert sum(byte.bit_count() for byte in file.read_bytes()) == 1
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def test_a_cut_file_is_shorter_and_not_empty(tmp_path: Path, chance: random.Random) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(100))
    cached_files.cut(file, chance)
    assert 0 < file.stat().st_size < 100
    cached_files.empty(file, chance)
    assert file.stat().st_size == 0


def test_unfinished_files_are_not_cached(files: list[Path], tmp_path: Path) -> None:
    files[0].with_name(f"{files[0].name}.0000000001").write_bytes(b"half")
    assert cached_files.cached(tmp_path) == files
