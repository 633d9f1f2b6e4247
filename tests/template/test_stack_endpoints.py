import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from tests.template import configurations
from tests.template.synthesis import listed, logical_id, only, plain, resources, synthesize

NAME = "every endpoint"
OURS, SHARED, FOREIGN = "${AWS::AccountId}", "210987654321", "999999999999"
ENDPOINT = "AWS::EC2::VPCEndpoint"
GROUP = "AWS::EC2::SecurityGroup"
OPERATORS = {"aws:PrincipalAccount": "StringEquals", "aws:PrincipalIsAWSService": "Bool"}


def endpoints(kind: str) -> dict[str, Any]:
    found = (r["Properties"] for r in resources(NAME, ENDPOINT).values())
    return {plain(e["ServiceName"]): e for e in found if e["VpcEndpointType"] == kind}


def test_each_interface_is_in_the_lambdas_subnets_with_private_dns() -> None:
    interfaces = endpoints("Interface")
    services = ("ec2", "ecr.api", "ecr.dkr", "eks", "elasticloadbalancing", "lambda", "logs", "sts")
    assert set(interfaces) == {f"com.amazonaws.ap-southeast-2.{service}" for service in services}
    group = {"Fn::GetAtt": [logical_id(NAME, GROUP, "Endpoints"), "GroupId"]}
    for endpoint in interfaces.values():
        assert endpoint["VpcId"] == "vpc-0a1b2c3d4e5f60718"
        assert endpoint["SubnetIds"] == ["subnet-0a1b2c3d4e5f60718", "subnet-18f0e5d4c3b2a1907"]
        assert endpoint["SecurityGroupIds"] == [group]
        assert endpoint["PrivateDnsEnabled"] is True


def test_the_endpoints_accept_pods_and_lambda_and_open_no_connection() -> None:
    group = only(NAME, GROUP, "Endpoints")
    sources = [(r["SourceSecurityGroupId"], r["FromPort"], r["ToPort"]) for r in group["SecurityGroupIngress"]]
    ours = {"Fn::GetAtt": [logical_id(NAME, GROUP, "Network"), "GroupId"]}
    assert sources == [("sg-0a1b2c3d4e5f60718", 443, 443), (ours, 443, 443)]
    (out,) = group["SecurityGroupEgress"]
    assert (out["CidrIp"], out["IpProtocol"]) == ("255.255.255.255/32", "icmp")


def test_the_s3_gateway_allows_only_layers_and_responses_to_cloudformation() -> None:
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


def interfaces(*, accounts: tuple[str, ...] = (), more: str = "all_actions = true") -> dict[str, Any]:
    """The policy of each interface, by the name of its endpoint: `ecr.api`."""
    named = f"[endpoints]\n{more}\naccounts = {list(accounts)}"
    settings = configurations.parse(configurations.text(NAME).replace("[endpoints]", named))
    found = [r["Properties"] for r in synthesize(settings)["Resources"].values() if r["Type"] == ENDPOINT]
    return {
        e["ServiceName"].removeprefix("com.amazonaws.ap-southeast-2."): e["PolicyDocument"]
        for e in found
        if e["VpcEndpointType"] == "Interface"
    }


def passes(policy: Mapping[str, Any], action: str, *, resource: str = "any", **keys: str) -> bool:
    """Whether the policy allows a request with these `aws:` condition keys; a request without credentials has none."""
    for statement in policy["Statement"]:
        for operator, condition in statement.get("Condition", {}).items():
            # What is read as equality below means something else under StringNotEquals.
            assert {OPERATORS[key] for key in condition} == {operator}
    return any(
        any(fnmatchcase(action, pattern) for pattern in statement["Action"])
        and any(fnmatchcase(resource, plain(pattern)) for pattern in statement["Resource"])
        and all(
            keys.get(key.removeprefix("aws:")) in [plain(value) for value in listed(values)]
            for condition in statement.get("Condition", {}).values()
            for key, values in condition.items()
        )
        for statement in policy["Statement"]
    )


def test_every_interface_allows_only_principals_of_the_account_and_aws_services() -> None:
    for service, policy in interfaces().items():
        action = f"{service.split('.')[0]}:Anything"
        assert passes(policy, action, PrincipalAccount=OURS), service
        assert passes(policy, action, PrincipalIsAWSService="true"), service
        for account in (SHARED, FOREIGN):
            assert not passes(policy, action, PrincipalAccount=account, PrincipalIsAWSService="false"), service
        assert not passes(policy, action), f"{service}, without credentials"


@pytest.mark.parametrize(
    ("service", "resource", "used", "other"),
    [
        ("ecr.api", "any", ["GetAuthorizationToken", "BatchGetImage"], ["PutImage", "DeleteRepository"]),
        ("ecr.dkr", "any", ["GetDownloadUrlForLayer"], ["InitiateLayerUpload"]),
        ("eks", f"arn:aws:eks:ap-southeast-2:{OURS}:cluster/shared", ["DescribeCluster"], ["DeleteCluster"]),
        (
            "lambda",
            f"arn:aws:lambda:ap-southeast-2:{OURS}:function:kubectl",
            ["InvokeFunction"],
            ["UpdateFunctionCode"],
        ),
        ("ec2", "any", ["DescribeInstances", "RunInstances"], []),
        ("sts", "any", ["AssumeRole"], []),
    ],
)
def test_an_interface_allows_what_the_front_door_and_the_nodes_use(
    service: str, resource: str, used: list[str], other: list[str]
) -> None:
    policy, name = interfaces(more="")[service], service.split(".", maxsplit=1)[0]
    for action in used:
        assert passes(policy, f"{name}:{action}", resource=resource, PrincipalAccount=OURS), action
        assert not passes(policy, f"{name}:{action}", resource=resource, PrincipalAccount=FOREIGN), action
    for action in other:
        assert not passes(policy, f"{name}:{action}", resource=resource, PrincipalAccount=OURS), action
    assert passes(interfaces()[service], f"{name}:Anything", PrincipalAccount=OURS)


def test_an_interface_of_eks_reads_no_other_cluster() -> None:
    other = f"arn:aws:eks:ap-southeast-2:{OURS}:cluster/other"
    assert not passes(interfaces(more="")["eks"], "eks:DescribeCluster", resource=other, PrincipalAccount=OURS)


def test_no_statement_of_an_interface_allows_everything_to_every_principal() -> None:
    for service, policy in interfaces().items():
        for statement in policy["Statement"]:
            assert (statement["Effect"], statement["Principal"]) == ("Allow", "*")
            assert {action.split(":")[0] for action in statement["Action"]} == {service.split(".")[0]}
            assert ("Condition" in statement) != (statement["Sid"] == "AllowedRoles")


def test_a_pod_without_credentials_can_assume_only_roles_of_the_account() -> None:
    sts = interfaces()["sts"]
    for action in ("sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"):
        assert passes(sts, action, resource=f"arn:aws:iam::{OURS}:role/team/app")
        assert not passes(sts, action, resource=f"arn:aws:iam::{FOREIGN}:role/team/app")
    assert not passes(sts, "sts:AssumeRole", resource=f"arn:aws:iam::{OURS}:role/team/app")


def test_accounts_in_the_settings_are_allowed_like_the_own_account() -> None:
    policies = interfaces(accounts=(SHARED,))
    for service, policy in policies.items():
        assert passes(policy, f"{service.split('.')[0]}:Anything", PrincipalAccount=SHARED), service
        assert not passes(policy, f"{service.split('.')[0]}:Anything", PrincipalAccount=FOREIGN), service
    role = f"arn:aws:iam::{SHARED}:role/app"
    assert passes(policies["sts"], "sts:AssumeRoleWithWebIdentity", resource=role)


def test_the_doctor_may_read_what_it_needs_from_inside_the_vpc() -> None:
    """The table of its actions names them; a test of the doctor compares it with the calls."""
    _, table = Path("docs/operations.md").read_text("utf-8").split("The doctor needs in AWS")
    needed = set(re.findall(r"`((?:ecr|eks|lambda):\w+)`", table.split("In the cluster it needs")[0]))
    assert {action.partition(":")[0] for action in needed} == {"ecr", "eks", "lambda"}
    granted: set[str] = set()
    for name, endpoint in endpoints("Interface").items():
        if name.rsplit(".", 1)[-1] in ("api", "eks", "lambda"):
            granted.update(endpoint["PolicyDocument"]["Statement"][0]["Action"])
    assert needed <= granted
