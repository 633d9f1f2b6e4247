import pytest

from tests.template import configurations
from tests.template.synthesis import logical_id, only, resources

GROUP = "AWS::EC2::SecurityGroup"
IN_VPC = ("Refresher", "WorkloadKubectlHandler", "WorkloadKubectlProviderframework")


def test_the_lambda_reaches_port_443_and_accepts_no_connection() -> None:
    group = only("private", GROUP)
    out = [
        (rule.get("CidrIp") or rule["CidrIpv6"], rule["IpProtocol"], rule["FromPort"], rule["ToPort"])
        for rule in group["SecurityGroupEgress"]
    ]
    assert out == [("0.0.0.0/0", "tcp", 443, 443), ("::/0", "tcp", 443, 443)]
    assert "SecurityGroupIngress" not in group
    assert group["VpcId"] == configurations.settings("private").cluster.vpc_id


def test_the_only_new_rule_of_the_cluster_admits_the_lambda_on_443() -> None:
    rule = dict(only("private", "AWS::EC2::SecurityGroupIngress"))
    del rule["Description"]
    assert rule == {
        "GroupId": configurations.settings("private").cluster.security_group_id,
        "SourceSecurityGroupId": {"Fn::GetAtt": [logical_id("private", GROUP), "GroupId"]},
        "IpProtocol": "tcp",
        "FromPort": 443,
        "ToPort": 443,
    }
    assert not resources("private", "AWS::EC2::SecurityGroupEgress")


def test_functions_that_call_the_cluster_are_in_the_subnets_and_group_of_the_lambda() -> None:
    expected = {
        "SecurityGroupIds": [{"Fn::GetAtt": [logical_id("private", GROUP), "GroupId"]}],
        "SubnetIds": list(configurations.settings("private").cluster.subnet_ids),
    }
    for start in IN_VPC:
        assert only("private", "AWS::Lambda::Function", start)["VpcConfig"] == expected, start


@pytest.mark.parametrize("name", ["public", "external"])
def test_without_a_vpc_there_is_no_security_group_rule_or_interface(name: str) -> None:
    kinds = (GROUP, "AWS::EC2::SecurityGroupIngress")
    assert not any(resources(name, kind) for kind in kinds)
    assert not [f for f in resources(name, "AWS::Lambda::Function").values() if "VpcConfig" in f["Properties"]]
