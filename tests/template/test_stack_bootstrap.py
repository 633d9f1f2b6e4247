"""What a template asks of `cdk bootstrap`, which `frontdoor check` compares with the account."""

import re

import aws_cdk as cdk
from aws_cdk.assertions import Template

from cli.preflight.checks import bootstrap


def test_the_least_version_is_what_a_template_asks_for() -> None:
    rules = Template.from_stack(cdk.Stack(cdk.App(), "Empty")).to_json()["Rules"]
    versions = re.findall(r"bootstrap stack version (\d+) required", str(rules["CheckBootstrapVersion"]))
    assert versions == [str(bootstrap.LEAST_VERSION)]
