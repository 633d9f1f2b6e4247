import re

import pytest

from lambda_fn.errors import SettingsError
from lambda_fn.settings import Settings
from stacks.stack_name import stack_name
from tests.template import configurations
from tests.template.synthesis import synthesize

# What a resource is called in the whole account, as against what it belongs to.
NAMED = re.compile(r"(?:Name|.*(?:Group|Function|Role|Queue|Topic|Alarm|Dashboard|Balancer|Bucket)Name)")
BELONGS = {"AWS::EKS::AccessEntry", "AWS::Scheduler::Schedule", "AWS::Route53::RecordSet"}


def physical_names(settings: Settings) -> set[str]:
    """Every name that is written out in the template, and not left to CloudFormation."""
    found = synthesize(settings)["Resources"].values()
    return {
        value
        for resource in found
        if resource["Type"] not in BELONGS
        for key, value in resource["Properties"].items()
        if NAMED.fullmatch(key) and isinstance(value, str)
    }


def test_two_namespaces_of_a_cluster_and_two_clusters_have_stacks_of_their_own() -> None:
    toml = configurations.text("public")
    green = toml.replace('name = "shared"', 'name = "green"')
    second = toml.replace('name = "shared"', 'name = "shared"\nnamespace = "second"')
    assert [stack_name(configurations.parse(text)) for text in (toml, green, second)] == [
        "ecr-frontdoor-shared-registry",
        "ecr-frontdoor-green-registry",
        "ecr-frontdoor-shared-second",
    ]


@pytest.mark.parametrize(
    "places", [[("a_b", "c"), ("a-b", "c")], [("a-b", "c"), ("a", "b-c")], [("a_b", "c-d"), ("a-b", "c-d")]]
)
def test_places_that_read_alike_have_stacks_of_their_own(places: list[tuple[str, str]]) -> None:
    toml = configurations.text("public")
    files = [toml.replace('name = "shared"', f'name = "{name}"\nnamespace = "{space}"') for name, space in places]
    names = [stack_name(configurations.parse(text)) for text in files]
    assert len(set(names)) == 2, names
    assert all(re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]*", name) for name in names)


def test_two_environments_of_an_account_name_nothing_alike() -> None:
    toml = configurations.text("nlb")
    second = toml.replace('region = "ap-southeast-2"\nvpc', 'region = "ap-southeast-2"\nnamespace = "second"\nvpc')
    assert second != toml
    names = [physical_names(configurations.parse(text)) for text in (toml, second)]
    assert all(names)
    assert not names[0] & names[1]


def test_a_name_cloudformation_would_refuse_is_refused_here_with_the_way_out() -> None:
    long = f'name = "{"c" * 100}"\nnamespace = "{"n" * 40}"'
    settings = configurations.parse(configurations.text("public").replace('name = "shared"', long))
    with pytest.raises(
        SettingsError, match=r"155 characters, and CloudFormation allows 128: shorten cluster.namespace"
    ):
        stack_name(settings)
