from fnmatch import fnmatchcase

import boto3
import pytest

from stacks.ecr_actions import PULL, WRITE
from tests.template import configurations
from tests.template.synthesis import (
    Resource,
    logical_id,
    only,
    plain,
    readable,
    resources,
    role_statements,
    synthesize,
)

ROLE = "AWS::IAM::Role"

FETCH_TOKEN = {"Sid": "FetchToken", "Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": ["*"]}
DENY_WRITES = {"Sid": "DenyRegistryChanges", "Effect": "Deny", "Action": [*WRITE], "Resource": ["*"]}

READS = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:ListImages"]
INTERFACES = ["ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"]


def in_a_vpc(region: str, *subnets: str) -> list[object]:
    return [
        {
            "Sid": "AttachToVpc",
            "Effect": "Allow",
            "Action": [*INTERFACES, "ec2:UnassignPrivateIpAddresses"],
            # Of whatever account: a VPC may be shared by another one.
            "Resource": [
                *(f"arn:aws:ec2:{region}:*:subnet/{subnet}" for subnet in subnets),
                f"arn:aws:ec2:{region}:${{AWS::AccountId}}:*/*",
            ],
        },
        {
            "Sid": "DescribeVpc",
            "Effect": "Allow",
            "Action": ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"],
            "Resource": ["*"],
        },
        {
            "Sid": "DenyVpcActionsToCode",
            "Effect": "Deny",
            "Action": [
                *INTERFACES,
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSubnets",
                "ec2:DetachNetworkInterface",
                "ec2:UnassignPrivateIpAddresses",
            ],
            "Resource": ["*"],
            "Condition": {"Null": {"lambda:SourceFunctionArn": "false"}},
        },
    ]


def pull(*registries: str) -> Resource:
    resources = [f"arn:aws:ecr:{registry}:repository/*" for registry in registries]
    return {"Sid": "PullFromRegistries", "Effect": "Allow", "Action": READS, "Resource": resources}


def nothing_else_than(*repositories: str) -> Resource:
    return {"Sid": "DenyOtherRepositories", "Effect": "Deny", "Action": READS, "NotResource": [*repositories]}


def read_cluster(region: str, cluster: str) -> Resource:
    arn = f"arn:aws:eks:{region}:${{AWS::AccountId}}:cluster/{cluster}"
    return {"Sid": "DescribeCluster", "Effect": "Allow", "Action": "eks:DescribeCluster", "Resource": [arn]}


def log_and_failures(name: str) -> list[object]:
    log = logical_id(name, "AWS::Logs::LogGroup", "Log")
    queue = logical_id(name, "AWS::SQS::Queue", "Failures")
    return [
        {
            "Sid": "WriteLog",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": [f"${{{log}.Arn}}"],
        },
        {
            "Sid": "SendToDeadLetterQueue",
            "Effect": "Allow",
            "Action": "sqs:SendMessage",
            "Resource": [f"${{{queue}.Arn}}"],
        },
    ]


def statements_of(name: str, role: str) -> list[Resource]:
    return [readable(s) for role_id, s in role_statements(name) if role_id.startswith(role)]


def test_the_statements_of_a_lambda_outside_a_vpc() -> None:
    assert statements_of("public", "Identity") == [
        FETCH_TOKEN,
        pull("ap-southeast-2:123456789012"),
        nothing_else_than("arn:aws:ecr:ap-southeast-2:123456789012:repository/*"),
        DENY_WRITES,
        read_cluster("ap-southeast-2", "shared"),
        *log_and_failures("public"),
    ]


def test_the_statements_of_a_lambda_inside_a_vpc() -> None:
    assert statements_of("private", "Identity") == [
        FETCH_TOKEN,
        pull("ap-southeast-2:123456789012"),
        nothing_else_than("arn:aws:ecr:ap-southeast-2:123456789012:repository/team/*"),
        DENY_WRITES,
        read_cluster("ap-southeast-2", "shared"),
        *log_and_failures("private"),
        *in_a_vpc("ap-southeast-2", "subnet-0a1b2c3d4e5f60718", "subnet-18f0e5d4c3b2a1907"),
    ]


def test_pulls_are_limited_to_account_region_and_pattern_of_each_registry_and_the_proxy_image() -> None:
    assert statements_of("several", "Identity") == [
        FETCH_TOKEN,
        pull("eu-west-1:123456789012", "us-east-1:210987654321"),
        {
            "Sid": "PullProxyImage",
            "Effect": "Allow",
            "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            "Resource": ["arn:aws:ecr:eu-west-1:123456789012:repository/platform/nginx"],
        },
        nothing_else_than(
            "arn:aws:ecr:eu-west-1:123456789012:repository/team/*",
            "arn:aws:ecr:eu-west-1:123456789012:repository/base",
            "arn:aws:ecr:us-east-1:210987654321:repository/*",
            "arn:aws:ecr:eu-west-1:123456789012:repository/platform/nginx",
        ),
        DENY_WRITES,
        read_cluster("eu-west-1", "blue_1"),
        *log_and_failures("several"),
        *in_a_vpc("eu-west-1", "subnet-0a1b2c3d4e5f60718"),
    ]


@pytest.mark.parametrize(
    ("repository", "denied"),
    [
        ("arn:aws:ecr:eu-west-1:123456789012:repository/payroll", True),
        ("arn:aws:ecr:eu-west-1:123456789012:repository/base2", True),
        ("arn:aws:ecr:us-east-1:123456789012:repository/team/app", True),
        ("arn:aws:ecr:eu-west-1:123456789012:repository/team/app", False),
        ("arn:aws:ecr:us-east-1:210987654321:repository/anything", False),
        ("arn:aws:ecr:eu-west-1:123456789012:repository/platform/nginx", False),
    ],
)
def test_a_repository_outside_the_settings_is_denied_whatever_its_own_policy_allows(
    repository: str, *, denied: bool
) -> None:
    """A repository policy that allows the account or organization is sufficient, unless a Deny outranks it."""
    (deny,) = (s for _, s in role_statements("several") if s.get("Sid") == "DenyOtherRepositories")
    assert all(not fnmatchcase(repository, plain(spared)) for spared in deny["NotResource"]) is denied
    assert set(PULL) == set(deny["Action"])


@pytest.mark.parametrize("role", ["Identity", "WatcherIdentity"])
def test_the_rights_for_renamed_repositories_are_for_the_names_that_ecr_has(role: str) -> None:
    texts = str(statements_of("renamed", role))
    for name in ("platform/images/*", "platform/terraform-1", "team/*", "team/data/*"):
        assert f":repository/{name}'" in texts
    for name in ("base/*", "tools/terraform"):
        assert name not in texts


def test_a_replica_is_pulled_from_with_the_same_actions_and_patterns_and_nothing_else_of_its_region_is() -> None:
    mine, other = "arn:aws:ecr:ap-southeast-2:123456789012", "arn:aws:ecr:ap-southeast-4:123456789012"
    of_pulls = [s for s in statements_of("replica", "Identity") if "Registries" in s["Sid"] or "Other" in s["Sid"]]
    assert of_pulls == [
        pull("ap-southeast-2:123456789012", "ap-southeast-4:123456789012"),
        nothing_else_than(f"{mine}:repository/team/*", f"{other}:repository/team/*"),
    ]


def test_the_watcher_reads_no_replica() -> None:
    assert "ap-southeast-4" not in str(statements_of("replica", "WatcherIdentity"))


def allow_list(patterns: int) -> str:
    """A configuration with this many patterns of 30 characters."""
    names = ", ".join(f'"team-{number:03}/a-group-of-services/*"' for number in range(patterns))
    return configurations.text("public").replace("[[registries]]", f"[[registries]]\nrepositories = [{names}]")


REPLICA = '[[registries.replicas]]\naccount = "123456789012"\nregion = "ap-southeast-4"\n'


@pytest.mark.parametrize(
    ("patterns", "replica", "managed"), [(85, "", 0), (105, "", 2), (45, REPLICA, 0), (55, REPLICA, 2)]
)
def test_an_allow_list_is_in_the_role_as_long_as_it_fits_and_then_in_managed_policies(
    patterns: int, replica: str, managed: int
) -> None:
    text = allow_list(patterns).replace("[proxy.exposure]", f"{replica}[proxy.exposure]")
    found = synthesize(configurations.parse(text))["Resources"]
    (role,) = (r["Properties"] for i, r in found.items() if i.startswith("IdentityRole"))
    inline = {statement["Sid"] for statement in role["Policies"][0]["PolicyDocument"]["Statement"]}
    assert ("DenyOtherRepositories" in inline) is (managed == 0)
    assert {"FetchToken", "PullFromRegistries", "DenyRegistryChanges"} <= inline
    attached = {i for i, r in found.items() if r["Type"] == "AWS::IAM::ManagedPolicy" and i.startswith("Identity")}
    # The role has them from its creation on, and is never without a Deny.
    assert {arn["Ref"] for arn in role.get("ManagedPolicyArns", [])} == attached
    assert len(attached) == managed


def test_the_manifests_setting_does_not_change_the_permissions_of_the_lambda() -> None:
    assert statements_of("external", "Identity") == statements_of("public", "Identity")


def test_arns_of_a_region_have_its_partition() -> None:
    text = configurations.text("public").replace("ap-southeast-2", "cn-north-1")
    template = synthesize(configurations.parse(text))
    (role,) = (r for i, r in template["Resources"].items() if i.startswith("IdentityRole"))
    pulls = role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][1]
    assert plain(pulls["Resource"]) == "arn:aws-cn:ecr:cn-north-1:123456789012:repository/*"


def test_every_ecr_operation_that_writes_is_denied() -> None:
    operations = boto3.client("ecr", region_name="eu-west-1").meta.service_model.operation_names
    reads = ("BatchCheck", "BatchGet", "Describe", "Get", "List", "Validate")
    writes = {f"ecr:{operation}" for operation in operations if not operation.startswith(reads)}
    # These two are permissions without an operation of their own.
    assert set(WRITE) == writes | {"ecr:BatchImportUpstreamImage", "ecr:ReplicateImage"}


def test_no_action_is_both_needed_and_denied() -> None:
    assert not set(PULL) & set(WRITE)


@pytest.mark.parametrize("name", configurations.NAMES)
def test_no_role_has_a_name(name: str) -> None:
    assert not [i for i, role in resources(name, ROLE).items() if "RoleName" in role["Properties"]]


@pytest.mark.parametrize("name", configurations.NAMES)
def test_only_functions_that_cdk_adds_have_managed_policies(name: str) -> None:
    with_managed = {i for i, role in resources(name, ROLE).items() if role["Properties"].get("ManagedPolicyArns")}
    own = ("WorkloadKubectlProviderframework", "AWSCDKTriggerCustomResourceProvider")
    assert not {i for i in with_managed if not i.startswith(own)}
    assert not resources(name, "AWS::IAM::ManagedPolicy")


@pytest.mark.parametrize("name", configurations.NAMES)
def test_only_lambda_may_assume_the_role_of_the_function(name: str) -> None:
    (trust,) = only(name, ROLE, "Identity")["AssumeRolePolicyDocument"]["Statement"]
    assert trust == {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
