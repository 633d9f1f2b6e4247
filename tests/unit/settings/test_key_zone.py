"""The memory zone for the keys of blobs follows the size of the cache, and the memory of a pod holds it."""

import pytest

from lambda_fn.settings import Cache, parse_toml
from tests.unit.settings.files import mistakes, with_line

KEYS_FOR_EACH_MIB = 8000


@pytest.mark.parametrize(
    ("size_gib", "slice_mib", "full_mib", "zone_mib"),
    [
        (8, 4, 2, 32),
        (200, 4, 32, 32),
        (200, 1, 52, 52),
        (800, 4, 128, 128),
        (1000, 64, 130, 130),
        (16384, 1, 4195, 4195),
    ],
)
def test_the_zone_follows_the_settings(size_gib: int, slice_mib: int, full_mib: int, zone_mib: int) -> None:
    cache = Cache(size_gib=size_gib, slice_mib=slice_mib)
    assert (cache.full_key_zone_mib, cache.key_zone_mib) == (full_mib, zone_mib)


@pytest.mark.parametrize("slice_mib", [1, 4, 64])
@pytest.mark.parametrize("size_gib", [1, 8, 300, 16384])
def test_a_zone_holds_every_slice_of_a_full_cache(size_gib: int, slice_mib: int) -> None:
    cache = Cache(size_gib=size_gib, slice_mib=slice_mib)
    assert cache.key_zone_mib * KEYS_FOR_EACH_MIB >= size_gib * 1024 / slice_mib


@pytest.mark.parametrize(("size_gib", "slice_mib"), [(8, 4), (1600, 4), (1000, 1)])
def test_the_default_memory_limit_holds_the_keys(size_gib: int, slice_mib: int) -> None:
    table = f"cache = {{ size_gib = {size_gib}, slice_mib = {slice_mib} }}"
    assert parse_toml(with_line("[proxy]", table), "my.toml").proxy.cache.size_gib == size_gib


@pytest.mark.parametrize(
    ("size_gib", "slice_mib", "limit"), [(1601, 4, "1028Mi"), (1001, 1, "1028Mi"), (16384, 4, "10488Mi")]
)
def test_a_cache_whose_keys_take_a_quarter_of_the_memory_is_refused(size_gib: int, slice_mib: int, limit: str) -> None:
    table = f"cache = {{ size_gib = {size_gib}, slice_mib = {slice_mib} }}"
    (found,) = mistakes(with_line("[proxy]", table))
    assert found.startswith(f"proxy: cache.size_gib = {size_gib}: ")
    assert f"Fix: set memory_limit to {limit} or more" in found
    with_memory = with_line("[proxy]", f"{table}\nresources = {{ memory_limit = '{limit}' }}")
    assert parse_toml(with_memory, "my.toml").proxy.resources.memory_limit == limit
