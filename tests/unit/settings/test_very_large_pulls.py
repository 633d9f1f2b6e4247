"""How many very large layers a pod sends at once follows its memory limit."""

import pytest

from lambda_fn.contract.quantity import parse_quantity
from lambda_fn.settings import parse_toml
from lambda_fn.settings.proxy import Proxy
from tests.unit.settings.files import SMALLEST, with_line

NGINX_AND_OTHERS_MIB = 128
LARGEST_LAYER_GIB = 52_000 / 1024
MIB_FOR_EACH_GIB = 0.7


def of_limit(limit: str) -> Proxy:
    line = f"resources = {{ memory_limit = '{limit}', memory_request = '64Mi' }}"
    return parse_toml(with_line("[proxy]", line), "my.toml").proxy


@pytest.mark.parametrize(("limit", "pulls"), [("128Mi", 2), ("256Mi", 2), ("512Mi", 7), ("1Gi", 18), ("4Gi", 87)])
def test_the_number_follows_the_memory_limit(limit: str, pulls: int) -> None:
    assert of_limit(limit).very_large_pulls == pulls


def test_ecrs_largest_layers_fit_into_the_default_limit() -> None:
    proxy = parse_toml(SMALLEST, "my.toml").proxy
    layers_mib = proxy.very_large_pulls * LARGEST_LAYER_GIB * MIB_FOR_EACH_GIB
    limit_mib = float(parse_quantity(proxy.resources.memory_limit)) / 2**20
    assert NGINX_AND_OTHERS_MIB + layers_mib + proxy.cache.key_zone_mib < 0.8 * limit_mib


def test_the_keys_of_a_large_cache_leave_less() -> None:
    assert parse_toml(with_line("[proxy]", "cache = { size_gib = 800 }"), "my.toml").proxy.very_large_pulls == 4
