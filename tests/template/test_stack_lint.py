import json

import pytest
from aws_cdk import aws_sqs as sqs
from cfnlint.api import lint  # type: ignore[import-untyped]  # cfn-lint ships no types
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]  # cfn-lint ships no types

from tests.template import configurations, snapshots
from tests.template.synthesis import synthesize, template

# W3005: CDK writes dependencies that CloudFormation would also infer.
CONFIG = ManualArgs(regions=["ap-southeast-2"], ignore_checks=["W3005"])
# Denied actions that ECR has and cfn-lint has not heard of yet; the test fails when it has.
YOUNG_ACTIONS = ["startreplicationbackfill", "stopreplicationbackfill"]


@pytest.mark.parametrize("name", [*snapshots.NAMES, "guarded", "several"])
def test_cfn_lint_finds_only_actions_that_it_does_not_know_yet(name: str) -> None:
    text = json.dumps(template(name))
    findings = {(match.rule.id, match.message.split("'")[1]) for match in lint(text, config=CONFIG)}
    assert findings == {("W3037", action) for action in YOUNG_ACTIONS if f'"ecr:{action}"' in text.lower()}


def test_an_unacknowledged_finding_of_cdk_nag_fails_the_synthesis() -> None:
    with pytest.raises(RuntimeError, match=r"Acknowledge with 'AwsSolutions::AwsSolutions-SQS4'"):
        synthesize(configurations.settings("public"), and_add=lambda stack: sqs.Queue(stack, "PlainHttp"))
