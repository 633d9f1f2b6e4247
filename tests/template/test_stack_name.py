import pytest

from lambda_fn.errors import SettingsError
from stacks.frontdoor_stack import stack_name
from tests.template import configurations


def test_two_namespaces_of_a_cluster_and_two_clusters_have_stacks_of_their_own() -> None:
    toml = configurations.text("public")
    green = toml.replace('name = "shared"', 'name = "green"')
    second = toml.replace('name = "shared"', 'name = "shared"\nnamespace = "second"')
    assert [stack_name(configurations.parse(text)) for text in (toml, green, second)] == [
        "ecr-frontdoor-shared-registry",
        "ecr-frontdoor-green-registry",
        "ecr-frontdoor-shared-second",
    ]


def test_a_name_cloudformation_would_refuse_is_refused_here_with_the_way_out() -> None:
    long = f'name = "{"c" * 100}"\nnamespace = "{"n" * 40}"'
    settings = configurations.parse(configurations.text("public").replace('name = "shared"', long))
    with pytest.raises(
        SettingsError, match=r"155 characters, and CloudFormation allows 128: shorten cluster.namespace"
    ):
        stack_name(settings)
