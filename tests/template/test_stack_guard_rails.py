"""`[deployment]`: what an account with guard-rails demands of a stack."""

import json
import tempfile
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from lambda_fn.settings import Settings
from stacks.frontdoor_stack import FrontdoorStack
from stacks.stack_name import stack_name
from tests.template import configurations
from tests.template.synthesis import plain, synthesize

VERSION = "AWS::Lambda::Version"
BOUNDARY = "arn:aws:iam::123456789012:policy/platform/boundary"
GUARD_RAILS = f"""
[deployment]
stack_name = "platform-registry"
permissions_boundary = "{BOUNDARY}"
bootstrap_qualifier = "platform"
tags = {{ cost-center = "4711", "example.net/owner" = "Platform team" }}
"""


def guarded(name: str, table: str = GUARD_RAILS) -> Settings:
    return configurations.parse(configurations.text(name) + table)


def roles(template: dict[str, Any]) -> dict[str, str]:
    """The permissions boundary of each role."""
    return {
        logical_id: plain(resource["Properties"].get("PermissionsBoundary"))
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role"
    }


@pytest.mark.parametrize("name", [*configurations.NAMES, "protected"])
def test_every_role_has_the_permissions_boundary(name: str) -> None:
    found = roles(synthesize(guarded(name)))
    assert found
    assert set(found.values()) == {BOUNDARY}, found


def test_a_boundary_may_be_named_without_its_arn() -> None:
    found = roles(synthesize(guarded("public", '[deployment]\npermissions_boundary = "boundary"\n')))
    assert set(found.values()) == {"arn:aws:iam::${AWS::AccountId}:policy/boundary"}


def test_no_role_has_a_boundary_by_default() -> None:
    assert set(roles(synthesize(configurations.settings("public"))).values()) == {"None"}


def test_the_stack_has_the_name_the_tags_and_the_qualifier_that_the_operator_set() -> None:
    settings = guarded("public")
    with tempfile.TemporaryDirectory() as folder:
        app = cdk.App(context={"aws:cdk:bundling-stacks": []}, outdir=folder, builtin_cloud_formation_validation=False)
        FrontdoorStack(app, "EcrFrontdoor", settings=settings)
        app.synth()
        manifest = json.loads((Path(folder) / "manifest.json").read_text(encoding="utf-8"))
    stack = manifest["artifacts"]["EcrFrontdoor"]["properties"]
    assert stack["stackName"] == stack_name(settings) == "platform-registry"
    assert stack["tags"] == {"cost-center": "4711", "example.net/owner": "Platform team"}
    assert stack["bootstrapStackVersionSsmParameter"] == "/cdk-bootstrap/platform/version"
    assert "cdk-platform-deploy-role" in stack["assumeRoleArn"]
    assert "cdk-platform-assets" in stack["stackTemplateAssetObjectUrl"]


def test_the_lambda_knows_nothing_of_the_deployment() -> None:
    """A changed tag makes no new version of the function, and no first run."""
    tagged = guarded("public", '[deployment]\ntags = { cost-center = "4711" }\n')
    first, second = (
        [name for name, resource in synthesize(settings)["Resources"].items() if resource["Type"] == VERSION]
        for settings in (configurations.settings("public"), tagged)
    )
    assert first == second != []
