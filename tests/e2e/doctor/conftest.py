"""The front door on the sandbox, a stack of it, and an operator with the documented rights."""

import json
import os
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from cli.doctor.context import CheckContext
from lambda_fn.contract.runtime import PYTHON, SETTINGS_METADATA
from lambda_fn.settings import Settings, to_json
from stacks import ecr_actions
from stacks.stack_name import stack_name
from testbed.sandbox import installation, operators
from testbed.sandbox.world import World
from testbed.waiting import eventually
from tests.e2e.doctor.laptop import is_known


def stack_template(settings: Settings) -> str:
    """The part of the stack that the doctor reads. `make deploy-local` deploys all of it."""
    pull, opened = list(ecr_actions.PULL), "arn:aws:ecr:*:*:repository/team/*"
    statements = [
        {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        {"Effect": "Allow", "Action": pull, "Resource": opened},
        {"Effect": "Deny", "Action": pull, "NotResource": opened},
        {"Effect": "Deny", "Action": list(ecr_actions.IMPORT), "Resource": "*"},
    ]
    policies = [{"PolicyName": "Refresh", "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}]
    trust = {"Version": "2012-10-17", "Statement": []}
    role = {"RoleName": "frontdoor-refresher", "AssumeRolePolicyDocument": trust, "Policies": policies}
    function = {
        "Code": {"ZipFile": "def handler(event, context): pass"},
        "Handler": "index.handler",
        "Runtime": f"python{PYTHON}",
        "Role": {"Fn::GetAtt": ["IdentityRole", "Arn"]},
    }
    resources = {
        "IdentityRole": {"Type": "AWS::IAM::Role", "Properties": role},
        "RefresherFunction": {
            "Type": "AWS::Lambda::Function",
            "Properties": function,
            "Metadata": {SETTINGS_METADATA: to_json(settings)},
        },
        "FailuresQueue": {"Type": "AWS::SQS::Queue", "Properties": {}},
        **_events("WatcherEvents", source="WatcherSource"),
        **_events("WatcherDeletions", source="WatcherSourceOfDeletions"),
    }
    return json.dumps({"Resources": resources})


def _events(name: str, *, source: str) -> dict[str, Any]:
    """A queue of ECR's events, with its rule and its event source mapping."""
    queue = f"{name}Queue"
    mapping = {
        "FunctionName": {"Ref": "RefresherFunction"},
        "EventSourceArn": {"Fn::GetAtt": [queue, "Arn"]},
    }
    return {
        queue: {"Type": "AWS::SQS::Queue", "Properties": {}},
        f"{name}Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {"EventPattern": {"source": ["aws.ecr"]}, "State": "ENABLED"},
        },
        source: {"Type": "AWS::Lambda::EventSourceMapping", "Properties": mapping},
    }


@pytest.fixture(scope="session")
def operator(installed: World) -> Iterator[boto3.Session]:
    """An operator with the rights that docs/operations.md lists, and no others in the cluster."""
    world = installed
    arn = operators.grant(world)
    given = installation.session(world, "default").client("sts").assume_role(RoleArn=arn, RoleSessionName="laptop")
    keys = given["Credentials"]
    aws = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name=world.region)
    assert eventually(lambda: is_known(world, aws)), "the access entry does not take effect"
    yield aws
    operators.revoke(world)


@pytest.fixture(scope="session")
def with_lifecycle_policy(installed: World) -> Iterator[None]:
    """A repository that the settings allow, with a rule that does not look at pulls."""
    ecr = installation.session(installed, "default").client("ecr")
    selection = {"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 365}
    policy = {"rules": [{"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}]}
    name = installed.app_repository
    ecr.create_repository(repositoryName=name)
    ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=json.dumps(policy))
    yield
    ecr.delete_repository(repositoryName=name, force=True)


@pytest.fixture(scope="session")
def context(installed: World, operator: boto3.Session, with_lifecycle_policy: None) -> Iterator[CheckContext]:
    del with_lifecycle_policy
    settings = installation.settings(installed)
    cloudformation = operator.client("cloudformation")
    cloudformation.create_stack(StackName=stack_name(settings), TemplateBody=stack_template(settings))
    yield CheckContext(settings=settings, aws=operator, image=f"{installed.app_repository}:{installed.app_tag}")
    cloudformation.delete_stack(StackName=stack_name(settings))


@pytest.fixture
def environment(context: CheckContext) -> dict[str, str]:
    """The operator's environment, with nothing else that configures AWS's tools."""
    credentials = context.aws.get_credentials()
    assert credentials is not None
    names = ("PATH", "HOME", "SSL_CERT_FILE", "AWS_CA_BUNDLE")
    return {
        **{name: os.environ[name] for name in names if name in os.environ},
        "AWS_ACCESS_KEY_ID": str(credentials.access_key),
        "AWS_SECRET_ACCESS_KEY": str(credentials.secret_key),
        "AWS_SESSION_TOKEN": str(credentials.token),
    }
