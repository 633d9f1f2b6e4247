"""The policies of the template: docs/permissions.md has each statement, and none allows more than is listed here."""

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data

from stacks.ecr_actions import IMPORT, WRITE
from testbed.generated import written
from tests.template import configurations, snapshots
from tests.template.deployment_permissions import types
from tests.template.managed_policies import ACTIONS, managed
from tests.template.permissions import DOCUMENT, blocks
from tests.template.role_permissions import MissingReasonError, entries, reasons, tables
from tests.template.synthesis import listed, plain, resources, role_statements, template


def test_the_document_is_written_from_the_template_and_has_every_statement() -> None:
    assert written(DOCUMENT.read_text(encoding="utf-8")) == blocks(), "run `make docs`"


def test_a_statement_without_a_reason_fails_the_generation() -> None:
    why = reasons()
    entry = next(e for e in entries() if e.key == "DescribeCluster")
    without = {**why, entry.owner: {key: reason for key, reason in why[entry.owner].items() if key != entry.key}}
    assert tables([entry], why)
    with pytest.raises(MissingReasonError, match=r"\[IdentityRole\] .*'DescribeCluster'"):
        tables([entry], without)
    with pytest.raises(MissingReasonError):
        tables([entry], {})


def test_every_reason_is_of_one_statement_in_the_template() -> None:
    written_down = sorted((owner, key) for owner, keys in reasons().items() for key in keys)
    assert written_down == sorted((entry.owner, entry.key) for entry in entries())


def test_every_reason_has_a_text() -> None:
    assert all(reason.strip() for keys in reasons().values() for reason in keys.values())


def test_without_kubectl_only_the_lambdas_and_scheduler_have_a_role() -> None:
    roles = {role[:-8] for role in resources("external", "AWS::IAM::Role")}
    assert roles == {"IdentityRole", "ScheduleRole", "WatcherIdentityRole"}


CONFIGURATIONS = tuple(dict.fromkeys((*configurations.NAMES, *snapshots.NAMES, "all")))


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_deployment_needs_no_resource_type_that_the_document_lacks(name: str) -> None:
    assert {resource["Type"] for resource in template(name)["Resources"].values()} <= set(types())


# What may have a `*` in an Allow, as expressions, each with its reason.
WILDCARDS = {
    r"ecr:GetAuthorizationToken on \*": "the action knows no resources",
    r"ecr:\w+ on arn:aws:ecr:[a-z0-9-]+:\d{12}:repository/.*": "the settings open these patterns to anyone",
    r"ec2:Describe\w+ on \*": "these know no resources, and code is denied them",
    r"ec2:\w+ on arn:aws:ec2:[a-z0-9-]+:\*:subnet/subnet-[0-9a-f]+": "another account may own the one subnet",
    r"ec2:\w+ on arn:aws:ec2:[a-z0-9-]+:\$\{AWS::AccountId\}:\*/\*": "an interface has no id before it exists",
    r"logs:\w+ on \*": "AWS's own policy of CDK's functions; making a log group is denied to them",
    r"ec2:(Assign|Create|Delete|Unassign)\w+ on \*": "AWS's own policy of CDK's function in a VPC; denied to its code",
    r"lambda:InvokeFunction on \$\{\w+\.Arn\}:\*": "CDK's own: any version of one function",
    r"s3:GetObject on arn:aws:s3:::prod-[a-z0-9-]+-starport-layer-bucket/\*": "a gateway's way to ECR's layers",
    r"s3:PutObject on arn:aws:s3:::cloudformation-custom-resource-response-[a-z0-9-]+/\*": "kubectl's answers",
    r"kms:\* on \*": "the key's own policy: administrators by IAM",
    r"kms:\w+ on \*": "the key's own policy, where * is the key",
}


READING = r"\w+:(Get|List|Describe|BatchGet|BatchCheck)\w+"
# What may be allowed besides reading, each with its reason.
CHANGING = {
    "sts:AssumeRole": "the principals that may assume a role",
    "lambda:InvokeFunction": "the schedules, the first run, CDK's way to kubectl",
    "sqs:SendMessage": "failed runs go to the dead-letter queue, ECR's events to theirs",
    "sqs:ReceiveMessage": "Lambda hands the watcher ECR's events",
    "sqs:DeleteMessage": "the same",
    "sns:Publish": "alarms go to the mail topic",
    "elasticloadbalancing:ModifyLoadBalancerAttributes": "deletion protection of one load balancer, on and off",
    "logs:CreateLogGroup": "AWS's own policy of CDK's functions; denied to them besides",
    "logs:CreateLogStream": "a function's own log",
    "logs:PutLogEvents": "a function's own log",
    "s3:PutObject": "kubectl's answers to CloudFormation pass the gateway, signed by CloudFormation",
    "ecr:BatchImportUpstreamImage": "a pull of a mirror imports an image; test_stack_mirrors.py says where",
    "ecr:CreateRepository": "the same",
    "ec2:AssignPrivateIpAddresses": "Lambda attaches a function to a VPC; denied to its code",
    "ec2:CreateNetworkInterface": "the same",
    "ec2:DeleteNetworkInterface": "the same",
    "ec2:UnassignPrivateIpAddresses": "the same",
    "kms:*": "the key's administrators by IAM",
    "kms:Decrypt": "those who use the key",
    "kms:Encrypt": "the same",
    "kms:GenerateDataKey": "the same",
    "kms:GenerateDataKeyWithoutPlaintext": "the same",
    "kms:ReEncryptFrom": "the same",
    "kms:ReEncryptTo": "the same",
}


def statements(node: Any) -> Iterator[Mapping[str, Any]]:  # noqa: ANN401 - any part of a template
    """Every policy statement in a template, at any depth."""
    if isinstance(node, list):
        for item in node:
            yield from statements(item)
    elif isinstance(node, Mapping):
        if "Effect" in node and ("Action" in node or "NotAction" in node):
            yield node
        for item in node.values():
            yield from statements(item)


def granting(name: str) -> list[Mapping[str, Any]]:
    """The resources of a template without the interface endpoints, whose policies grant nothing.

    test_stack_endpoints.py walks those.
    """
    found = template(name)["Resources"].values()
    return [r for r in found if r["Properties"].get("VpcEndpointType") != "Interface"]


def allowed(name: str) -> set[str]:
    """Every allowed action on every resource: `sqs:SendMessage on ${FailuresQueue.Arn}`."""
    found = [s for s in statements(granting(name)) if s["Effect"] == "Allow"]
    found += [statement for _, _, statement in managed(name)]
    assert not [s for s in found if "NotAction" in s or "NotResource" in s or "NotPrincipal" in s]
    return {
        f"{action} on {plain(resource)}"
        for statement in found
        for action in listed(statement["Action"])
        for resource in listed(statement.get("Resource", "(trust)"))
    }


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_every_wildcard_in_any_policy_of_the_template_is_listed_with_its_reason(name: str) -> None:
    wild = {grant for grant in allowed(name) if "*" in grant}
    assert {grant for grant in wild if not any(re.fullmatch(pattern, grant) for pattern in WILDCARDS)} == set()


def test_every_reason_for_a_wildcard_is_in_use() -> None:
    grants = allowed("all") | allowed("nlb")
    assert [p for p in WILDCARDS if not any(re.fullmatch(p, grant) for grant in grants)] == []


def test_every_allowed_action_that_changes_something_is_listed_with_its_reason() -> None:
    granted = {grant.split(" on ")[0] for name in CONFIGURATIONS for grant in allowed(name)}
    assert {action for action in granted if not re.fullmatch(READING, action)} == set(CHANGING)


def test_the_managed_policies_have_the_actions_that_aws_documents() -> None:
    """moto has copies of the policies in IAM."""
    known = json.loads(aws_managed_policies_data)
    for name, actions in ACTIONS.items():
        (statement,) = known[name]["Document"]["Statement"]
        assert (statement["Effect"], statement["Resource"]) == ("Allow", "*")
        assert sorted(statement["Action"]) == sorted(actions)


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_every_managed_policy_is_a_known_one(name: str) -> None:
    assert {policy for _, policy, _ in managed(name)} <= set(ACTIONS)


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_code_of_a_function_is_denied_the_actions_that_attach_it_to_a_vpc(name: str) -> None:
    own = [*role_statements(name), *((role, statement) for role, _, statement in managed(name))]
    attaching = {
        role: {action for whose, s in own if whose == role and s["Effect"] == "Allow" for action in interfaces(s)}
        for role, _ in own
    }
    denied = {role: interfaces(s) for role, s in own if s.get("Sid") == "DenyVpcActionsToCode"}
    assert {role for role, actions in attaching.items() if actions - denied.get(role, set())} == set()


def interfaces(statement: Mapping[str, Any]) -> set[str]:
    return {action for action in listed(statement["Action"]) if action.startswith("ec2:")}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_no_policy_of_the_template_allows_a_change_of_a_registry_but_the_imports_of_mirrors(name: str) -> None:
    granted = {grant.split(" on ")[0] for grant in allowed(name)}
    assert "ecr:BatchGetImage" in granted
    changes = {write for action in granted for write in WRITE if fnmatchcase(write, action)}
    has_mirror = any(registry.pull_through for registry in configurations.settings(name).registries)
    assert changes == (set(IMPORT) if has_mirror else set())
