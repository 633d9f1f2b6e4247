import re

import pytest

from k8s_manifests import documents
from lambda_fn.contract.errors import SettingsError
from lambda_fn.settings import Settings
from stacks.stack_name import stack_name
from tests.template import configurations
from tests.template.cloudwatch import metric
from tests.template.synthesis import synthesize

# What a resource is called in the whole account, as against what it belongs to.
NAMED = re.compile(r"(?:Name|.*(?:Group|Function|Role|Queue|Topic|Alarm|Dashboard|Balancer|Bucket)Name)")
BELONGS = {"AWS::EKS::AccessEntry", "AWS::Scheduler::Schedule", "AWS::Route53::RecordSet"}


def physical_names(settings: Settings) -> set[str]:
    """Every explicit name in the template; CloudFormation generates the others."""
    found = synthesize(settings)["Resources"].values()
    return {
        value
        for resource in found
        if resource["Type"] not in BELONGS
        for key, value in resource["Properties"].items()
        if NAMED.fullmatch(key) and isinstance(value, str)
    }


def test_each_namespace_and_each_cluster_has_its_own_stack() -> None:
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
def test_similar_cluster_and_namespace_names_give_different_stack_names(places: list[tuple[str, str]]) -> None:
    toml = configurations.text("public")
    files = [toml.replace('name = "shared"', f'name = "{name}"\nnamespace = "{space}"') for name, space in places]
    names = [stack_name(configurations.parse(text)) for text in files]
    assert len(set(names)) == 2, names
    assert all(re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]*", name) for name in names)


def test_two_environments_in_one_account_share_no_name() -> None:
    toml = configurations.text("nlb")
    second = toml.replace('region = "ap-southeast-2"\nvpc', 'region = "ap-southeast-2"\nnamespace = "second"\nvpc')
    assert second != toml
    names = [physical_names(configurations.parse(text)) for text in (toml, second)]
    assert all(names)
    assert not names[0] & names[1]


def two_environments(name: str) -> tuple[Settings, Settings]:
    """A configuration in two namespaces of one cluster."""
    toml = configurations.text(name)
    first, second = toml, toml.replace("[cluster]\n", '[cluster]\nnamespace = "second"\n')
    return configurations.parse(first), configurations.parse(second)


@pytest.mark.parametrize("name", ["public", "namespaced", "external", "nlb"])
def test_two_environments_in_one_cluster_have_different_groups(name: str) -> None:
    groups = [
        {
            group
            for resource in synthesize(settings)["Resources"].values()
            if resource["Type"] == "AWS::EKS::AccessEntry"
            for group in resource["Properties"].get("KubernetesGroups", [])
        }
        for settings in two_environments(name)
    ]
    assert all(groups)
    assert not groups[0] & groups[1]


@pytest.mark.parametrize("name", ["public", "namespaced", "external", "nlb"])
def test_two_environments_in_one_cluster_share_no_object(name: str) -> None:
    places = [
        {(d["kind"], d["metadata"].get("namespace"), d["metadata"]["name"]) for d in documents(settings)}
        for settings in two_environments(name)
    ]
    assert not places[0] & places[1]
    # A new cluster-wide object would be shared by both environments.
    assert {kind for kind, namespace, _ in places[0] if not namespace} == {"Namespace"}


def test_two_environments_in_one_cluster_have_different_metrics_and_alarms() -> None:
    """Also if both have the same domain."""
    looked = [
        {
            metric(resource["Properties"])
            for resource in synthesize(settings)["Resources"].values()
            if resource["Type"] == "AWS::CloudWatch::Alarm"
        }
        for settings in two_environments("public")
    ]
    own = [{found for found in each if found.namespace == "EcrFrontdoor"} for each in looked]
    assert all(own)
    assert not own[0] & own[1]


def test_a_stack_name_that_is_too_long_for_cloudformation_is_refused_with_a_fix() -> None:
    long = f'name = "{"c" * 100}"\nnamespace = "{"n" * 40}"'
    settings = configurations.parse(configurations.text("public").replace('name = "shared"', long))
    with pytest.raises(
        SettingsError,
        match=r"cluster.namespace = n+ .* 155 characters, and CloudFormation allows 128.*deployment.stack_name",
    ):
        stack_name(settings)
