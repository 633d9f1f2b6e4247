"""The same settings in every AWS partition: the template has no name of another partition."""

import json
import re
from typing import Any

import pytest

from tests.template import configurations
from tests.template.synthesis import synthesize

PARTITIONS = {
    "cn-north-1": ("aws-cn", "amazonaws.com.cn"),
    "us-gov-west-1": ("aws-us-gov", "amazonaws.com"),
    "eusc-de-east-1": ("aws-eusc", "amazonaws.eu"),
}


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
    prefix = "cn." if region.startswith("cn-") else ""
    assert {e["ServiceName"] for e in found} == {
        *(f"{prefix}com.amazonaws.{region}.{name}" for name in ("ec2", "ecr.api", "ecr.dkr", "eks", "lambda", "sts")),
        *(f"com.amazonaws.{region}.{name}" for name in ("elasticloadbalancing", "logs", "s3")),
    }
    (gateway,) = (e for e in found if e["VpcEndpointType"] == "Gateway")
    layers = f"arn:{PARTITIONS[region][0]}:s3:::prod-{region}-starport-layer-bucket/*"
    assert gateway["PolicyDocument"]["Statement"][0]["Resource"] == [layers]


def test_the_nodes_may_pull_the_proxy_image_from_the_ecr_of_the_partition(
    template: dict[str, Any], region: str
) -> None:
    repository = f"arn:{PARTITIONS[region][0]}:ecr:{region}:123456789012:repository/platform/nginx"
    assert repository in json.dumps(template)
