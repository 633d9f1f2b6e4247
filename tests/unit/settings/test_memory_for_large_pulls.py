"""What a pod may hold for pulls of large layers follows its memory limit."""

import pytest

from lambda_fn.settings import parse_toml
from tests.unit.settings.files import with_line


@pytest.mark.parametrize(
    ("limit", "mib"),
    [("128Mi", 0), ("256Mi", 44), ("512Mi", 249), ("1Gi", 659), ("4Gi", 3116)],
)
def test_it_follows_the_memory_limit(limit: str, mib: int) -> None:
    line = f"resources = {{ memory_limit = '{limit}', memory_request = '64Mi' }}"
    assert parse_toml(with_line("[proxy]", line), "my.toml").proxy.memory_for_large_pulls_mib == mib


def test_the_keys_of_a_large_cache_leave_less() -> None:
    settings = parse_toml(with_line("[proxy]", "cache = { size_gib = 800 }"), "my.toml")
    assert settings.proxy.memory_for_large_pulls_mib == 691 - settings.proxy.cache.key_zone_mib
