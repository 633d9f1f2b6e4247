"""The same settings in every partition of AWS: no name of another one anywhere in the template."""

import json
import re
from typing import Any

import pytest

from tests.template import configurations
from tests.template.synthesis import synthesize

PARTITIONS = {"cn-north-1": ("aws-cn", "amazonaws.com.cn"), "us-gov-west-1": ("aws-us-gov", "amazonaws.com")}


@pytest.fixture(scope="module", params=PARTITIONS)
def region(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def template(region: str) -> dict[str, Any]:
    """The private cluster's template: everything the stack can make is in it."""
    text = configurations.text("nlb").replace("ap-southeast-2.amazonaws.com", f"{region}.{PARTITIONS[region][1]}")
    return synthesize(configurations.parse(text.replace("ap-southeast-2", region)))


def test_every_arn_is_of_the_partition_or_leaves_it_to_cloudformation(template: dict[str, Any], region: str) -> None:
    partitions = set(re.findall(r"arn:(aws[a-z-]*):", json.dumps(template)))
    assert partitions == {PARTITIONS[region][0]}


def test_services_are_trusted_by_the_names_iam_knows_in_every_partition(template: dict[str, Any]) -> None:
    roles = (r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::IAM::Role")
    trusted = {
        statement["Principal"]["Service"]
        for role in roles
        for statement in role["AssumeRolePolicyDocument"]["Statement"]
    }
    assert trusted == {"lambda.amazonaws.com", "scheduler.amazonaws.com"}


def test_endpoints_lead_to_the_partitions_services_and_layers(template: dict[str, Any], region: str) -> None:
    found = [r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::EC2::VPCEndpoint"]
    prefix = "cn." if region.startswith("cn-") else ""
    assert {e["ServiceName"] for e in found} == {
        *(f"{prefix}com.amazonaws.{region}.{name}" for name in ("ec2", "ecr.api", "ecr.dkr", "eks", "lambda", "sts")),
        *(f"com.amazonaws.{region}.{name}" for name in ("elasticloadbalancing", "logs", "s3")),
    }
    (gateway,) = (e for e in found if e["VpcEndpointType"] == "Gateway")
    layers = f"arn:{PARTITIONS[region][0]}:s3:::prod-{region}-starport-layer-bucket/*"
    assert gateway["PolicyDocument"]["Statement"][0]["Resource"] == [layers]


def test_the_nodes_may_pull_the_proxys_image_from_the_partitions_ecr(template: dict[str, Any], region: str) -> None:
    repository = f"arn:{PARTITIONS[region][0]}:ecr:{region}:123456789012:repository/platform/nginx"
    assert repository in json.dumps(template)
