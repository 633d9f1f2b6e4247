"""What a pod, and in it one client, may request from a registry."""

import pytest

from lambda_fn.contract.errors import SettingsError
from lambda_fn.settings import parse_toml
from lambda_fn.settings.budget import Budget
from tests.unit.settings.files import with_line


@pytest.mark.parametrize(("line", "rate"), [("", 200), ("replicas = 5", 100), ("ecr_requests_per_second = 90", 30)])
def test_each_pod_has_a_part_also_in_a_rollout(line: str, rate: int) -> None:
    assert parse_toml(with_line("[proxy]", line), "my.toml").proxy.budget.rate == rate


def test_too_small_a_part_is_refused() -> None:
    lines = "replicas = 9\necr_requests_per_second = 99"
    with pytest.raises(SettingsError, match=r"ecr_requests_per_second = 99.*Fix: .* 100 or more"):
        parse_toml(with_line("[proxy]", lines), "my.toml")


@pytest.mark.parametrize(
    ("rate", "at_once", "queue", "client_rate", "wait_seconds"), [(200, 25, 1000, 100, 8), (10, 1, 50, 5, 84)]
)
def test_the_queues_follow_the_rate(rate: int, at_once: int, queue: int, client_rate: int, wait_seconds: int) -> None:
    budget = Budget(rate=rate)
    assert (budget.at_once, budget.queue, budget.client_rate) == (at_once, queue, client_rate)
    assert budget.wait_seconds == wait_seconds


def test_a_node_that_pulls_twenty_images_of_fifteen_layers_fits_into_the_queue() -> None:
    requests_of_an_image = 1 + 1 + 1 + 1 + 15
    assert Budget(rate=10).client_queue >= 20 * requests_of_an_image
