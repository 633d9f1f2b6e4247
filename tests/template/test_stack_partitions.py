"""The same settings in every AWS partition: the template has no name of another partition."""

import json
import re
from typing import Any

import pytest

from lambda_fn.contract.errors import SettingsError
from tests.template import configurations
from tests.template.synthesis import plain, synthesize

PARTITIONS = {
    "cn-north-1": ("aws-cn", "amazonaws.com.cn"),
    "us-gov-west-1": ("aws-us-gov", "amazonaws.com"),
    "eusc-de-east-1": ("aws-eusc", "amazonaws.eu"),
    "us-iso-east-1": ("aws-iso", "c2s.ic.gov"),
}

OWN_PREFIX = {
    "cn-north-1": ("cn.com.amazonaws", {"ec2", "ecr.api", "ecr.dkr", "eks", "lambda", "sts"}),
    "eusc-de-east-1": ("eu.amazonaws", {"ecr.api", "ecr.dkr"}),
    "us-iso-east-1": ("gov.ic.c2s", {"ec2", "ecr.api", "ecr.dkr"}),
}
"""The services whose endpoints do not begin with `com.amazonaws`; `aws ec2 describe-vpc-endpoint-services` has them."""
SERVICES = ("ec2", "ecr.api", "ecr.dkr", "eks", "elasticloadbalancing", "lambda", "logs", "s3", "sts")


def endpoint_name(service: str, region: str) -> str:
    prefix, services = OWN_PREFIX.get(region, ("", set()))
    return f"{prefix if service in services else 'com.amazonaws'}.{region}.{service}"


@pytest.fixture(scope="module", params=PARTITIONS)
def region(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def template(region: str) -> dict[str, Any]:
    """The template of the private cluster, which has every kind of resource."""
    text = configurations.text("every endpoint").replace(
        "ap-southeast-2.amazonaws.com", f"{region}.{PARTITIONS[region][1]}"
    )
    return synthesize(configurations.parse(text.replace("ap-southeast-2", region)))


def mirrors(region: str) -> str:
    """Settings with a mirror in this region, whose rule the stack makes."""
    keys = 'upstream = "registry.k8s.io"\ncache_rule = true\n'
    table = configurations.text("smallest").replace("[proxy", f"{configurations.MIRROR}{keys}\n[proxy", 1)
    return table.replace("ap-southeast-2", region)


@pytest.mark.parametrize("region", ["eusc-de-east-1", "us-iso-east-1"])
def test_imports_of_a_mirror_are_allowed_in_the_partition_of_the_region(region: str) -> None:
    template = synthesize(configurations.parse(mirrors(region)))
    assert f"arn:{PARTITIONS[region][0]}:ecr:{region}:123456789012:repository/docker-hub/*" in json.dumps(template)
    assert set(re.findall(r"arn:(aws[a-z-]*):", json.dumps(template))) == {PARTITIONS[region][0]}


@pytest.mark.parametrize("region", ["cn-north-1", "cn-northwest-1", "us-gov-east-1", "us-gov-west-1"])
def test_a_mirror_is_refused_where_ecr_has_no_cache_rules(region: str) -> None:
    with pytest.raises(SettingsError, match=f"no pull-through cache rules in {region}"):
        configurations.parse(mirrors(region))


def test_every_arn_has_the_partition_of_the_region_or_a_reference(template: dict[str, Any], region: str) -> None:
    partitions = set(re.findall(r"arn:(aws[a-z-]*):", json.dumps(template)))
    assert partitions == {PARTITIONS[region][0]}


def test_service_principals_have_names_that_are_valid_in_every_partition(template: dict[str, Any]) -> None:
    roles = (r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::IAM::Role")
    trusted = {
        statement["Principal"]["Service"]
        for role in roles
        for statement in role["AssumeRolePolicyDocument"]["Statement"]
    }
    assert trusted == {"lambda.amazonaws.com", "scheduler.amazonaws.com"}


def test_endpoints_have_the_services_and_layer_buckets_of_the_partition(template: dict[str, Any], region: str) -> None:
    found = [r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::EC2::VPCEndpoint"]
    names = {plain(e["ServiceName"]).replace("${AWS::Region}", region) for e in found}
    assert names == {endpoint_name(service, region) for service in SERVICES}
    (gateway,) = (e for e in found if e["VpcEndpointType"] == "Gateway")
    layers = f"arn:{PARTITIONS[region][0]}:s3:::prod-{region}-starport-layer-bucket/*"
    assert gateway["PolicyDocument"]["Statement"][0]["Resource"] == [layers]


def test_the_nodes_may_pull_the_proxy_image_from_the_ecr_of_the_partition(
    template: dict[str, Any], region: str
) -> None:
    repository = f"arn:{PARTITIONS[region][0]}:ecr:{region}:123456789012:repository/platform/nginx"
    assert repository in json.dumps(template)
