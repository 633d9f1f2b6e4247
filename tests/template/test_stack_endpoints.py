from typing import Any

import pytest

from stacks.endpoints import interface_name
from tests.template.synthesis import logical_id, only, resources

NAME = "nlb"
ENDPOINT = "AWS::EC2::VPCEndpoint"
GROUP = "AWS::EC2::SecurityGroup"


def endpoints(kind: str) -> dict[str, Any]:
    found = (r["Properties"] for r in resources(NAME, ENDPOINT).values())
    return {e["ServiceName"]: e for e in found if e["VpcEndpointType"] == kind}


def test_each_interface_stands_in_the_lambdas_subnets_under_the_services_own_name() -> None:
    interfaces = endpoints("Interface")
    services = ("ecr.api", "ecr.dkr", "eks", "lambda", "logs", "sts")
    assert set(interfaces) == {f"com.amazonaws.ap-southeast-2.{service}" for service in services}
    group = {"Fn::GetAtt": [logical_id(NAME, GROUP, "Endpoints"), "GroupId"]}
    for endpoint in interfaces.values():
        assert endpoint["VpcId"] == "vpc-0a1b2c3d4e5f60718"
        assert endpoint["SubnetIds"] == ["subnet-0a1b2c3d4e5f60718", "subnet-18f0e5d4c3b2a1907"]
        assert endpoint["SecurityGroupIds"] == [group]
        assert endpoint["PrivateDnsEnabled"] is True


def test_the_pods_and_the_lambda_may_use_them_and_they_open_nothing_themselves() -> None:
    group = only(NAME, GROUP, "Endpoints")
    sources = [(r["SourceSecurityGroupId"], r["FromPort"], r["ToPort"]) for r in group["SecurityGroupIngress"]]
    ours = {"Fn::GetAtt": [logical_id(NAME, GROUP, "Network"), "GroupId"]}
    assert sources == [("sg-0a1b2c3d4e5f60718", 443, 443), (ours, 443, 443)]
    (out,) = group["SecurityGroupEgress"]
    assert (out["CidrIp"], out["IpProtocol"]) == ("255.255.255.255/32", "icmp")


def test_the_way_to_s3_leads_to_layers_and_to_cloudformations_answers_and_nowhere_else() -> None:
    (gateway,) = endpoints("Gateway").values()
    assert gateway["ServiceName"] == "com.amazonaws.ap-southeast-2.s3"
    assert gateway["RouteTableIds"] == ["rtb-0a1b2c3d4e5f60718"]
    statements = gateway["PolicyDocument"]["Statement"]
    assert [(s["Effect"], s["Action"], s["Resource"]) for s in statements] == [
        ("Allow", "s3:GetObject", ["arn:aws:s3:::prod-ap-southeast-2-starport-layer-bucket/*"]),
        (
            "Allow",
            "s3:PutObject",
            [
                "arn:aws:s3:::cloudformation-custom-resource-response-ap-southeast-2/*",
                "arn:aws:s3:::cloudformation-custom-resource-response-apsoutheast2/*",
            ],
        ),
    ]


@pytest.mark.parametrize(
    ("service", "region", "name"),
    [
        ("ecr.api", "cn-north-1", "cn.com.amazonaws.cn-north-1.ecr.api"),
        ("logs", "cn-northwest-1", "com.amazonaws.cn-northwest-1.logs"),
        ("sts", "us-gov-west-1", "com.amazonaws.us-gov-west-1.sts"),
    ],
)
def test_a_service_has_the_name_its_partition_gives_it(service: str, region: str, name: str) -> None:
    assert interface_name(service, region) == name
