"""What nginx writes to each volume of a pod, how that is bounded, and how much room the volume leaves.

| volume | writer | bound |
| --- | --- | --- |
| run | redirects, microcache, clock | `max_size`, once the cache manager has looked |
| run | bodies of requests | none is read: 405, or 413 |
| run | answers that do not fit into memory | `proxy_max_temp_file_size 0` |
| run | the process id, checked copies of the configuration | a few KiB |
| cache | blobs, manifests, images | `max_size`, once the cache manager has looked |
| cache | the file that probes the disk | a few bytes |
| cache | checksums, one file for each folder of the cache | 120 bytes for each cached file |

Files in progress are in the folders of their caches (`use_temp_path=off`), and their bytes count only when they are
complete. The cache manager looks every two seconds (tests/proxy/test_cache_size.py): what nginx writes in between is
beyond `max_size`. So what a volume has beside its caches bounds the rate at which nginx may write.
"""

import re

import pytest
from lightkube.models.meta_v1 import ObjectMeta

from k8s_manifests.configuration import template
from k8s_manifests.volumes import volumes
from lambda_fn.contract.paths import RUN
from lambda_fn.contract.quantity import parse_quantity
from lambda_fn.job import configuration
from lambda_fn.settings import Settings, parse_toml

MIB = 2**20
UNITS = {"m": MIB, "g": 1024 * MIB}
MANAGER_SECONDS = 2
"""How long nginx's cache manager waits at most: until the entry of the zone `clock` ends."""
SMALLEST_FILE_BYTES = 4096
KEYS_FOR_EACH_MIB = 8000
CACHE_PATH = re.compile(r"proxy_cache_path (\S+) levels=1:2 keys_zone=(\w+):(\d+)m max_size=(\d+)([mg])(?=\s)")


def settings(size_gib: int) -> Settings:
    return parse_toml(
        f"""
        domain = "registry.example.net"
        cluster = {{ name = "shared", region = "eu-west-1" }}
        registries = [{{ account = "123456789012", region = "eu-west-1" }}]
        [proxy]
        exposure = {{ kind = "service" }}
        cache = {{ size_gib = {size_gib} }}
        """,
        "the test's settings",
    )


def caches(of: Settings) -> dict[str, dict[str, tuple[int, int]]]:
    """By volume and name: `max_size` in bytes, and the keys that the zone holds."""
    hosts = ("123456789012.dkr.ecr.eu-west-1.amazonaws.com",)
    text = configuration.rendered(of, hosts, "10.0.0.10", template())
    found: dict[str, dict[str, tuple[int, int]]] = {"run": {}, "cache": {}}
    for path, name, zone_mib, size, unit in CACHE_PATH.findall(text):
        volume = "run" if path.startswith(f"{RUN}/") else "cache"
        found[volume][name] = int(size) * UNITS[unit], int(zone_mib) * KEYS_FOR_EACH_MIB
    assert text.count("proxy_cache_path ") == sum(map(len, found.values()))
    return found


def limits(of: Settings) -> dict[str, int]:
    """The size limit of each volume in bytes."""
    found = volumes(of.names, of.proxy.cache, of.page, tls_secret=None, hints=None, claim=ObjectMeta())
    return {
        each.name: int(parse_quantity(str(each.emptyDir.sizeLimit))) for each in found if each.name and each.emptyDir
    }


def test_every_cache_is_in_a_volume_and_has_a_bound() -> None:
    found = {volume: {name: size for name, (size, _) in those.items()} for volume, those in caches(settings(8)).items()}
    assert found == {
        "run": {"redirects": 16 * MIB, "microcache": 16 * MIB, "clock": MIB},
        "cache": {"blobs": 8 * 1024 * MIB, "manifests": 256 * MIB, "images": 64 * MIB, "tags": 64 * MIB},
    }


@pytest.mark.parametrize("size_gib", [1, 8, 100, 800])
def test_a_volume_is_larger_than_its_caches_together(size_gib: int) -> None:
    of = settings(size_gib)
    for volume, limit in limits(of).items():
        assert sum(size for size, _ in caches(of)[volume].values()) < limit


@pytest.mark.parametrize(
    ("size_gib", "volume", "mib_each_second"),
    [(1, "cache", 832), (8, "cache", 832), (100, "cache", 12_608), (8, "run", 15)],
)
def test_a_volume_leaves_room_for_what_comes_until_the_cache_manager_looks(
    size_gib: int, volume: str, mib_each_second: int
) -> None:
    """600 MB/s of blobs were measured in a pod. `run` holds redirects and the headers of answers, a few KiB each."""
    of = settings(size_gib)
    room = limits(of)[volume] - sum(size for size, _ in caches(of)[volume].values())
    assert room // MANAGER_SECONDS // MIB == mib_each_second


@pytest.mark.parametrize("name", ["manifests", "images", "tags", "redirects", "microcache"])
def test_a_zone_has_a_key_for_every_file_of_a_cache_of_small_files(name: str) -> None:
    (found,) = [those[name] for those in caches(settings(8)).values() if name in those]
    size, keys = found
    assert keys >= size / SMALLEST_FILE_BYTES * 0.97
