"""The CDK app: reads `frontdoor.toml`, or the file of `cdk deploy -c config=PATH`, and synthesizes the stack."""

import sys
from pathlib import Path

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from lambda_fn.contract.errors import FrontdoorError
from lambda_fn.settings.parse import parse_toml
from stacks.frontdoor_stack import FrontdoorStack

# cdk-nag checks here, cfn-lint in the tests. CDK's own validation does what cfn-lint does, and doubles the time.
app = cdk.App(builtin_cloud_formation_validation=False)
config = Path(app.node.try_get_context("config") or "frontdoor.toml")
try:
    text = config.read_text(encoding="utf-8", errors="replace")  # invalid bytes become a TOML error
except OSError as error:
    sys.exit(f"ecr-frontdoor: cannot read {config}: {error.strerror}. Fix: name an existing file with -c config=PATH")
try:
    FrontdoorStack(app, "EcrFrontdoor", settings=parse_toml(text, str(config)))
except (OSError, FrontdoorError) as error:
    sys.exit(f"ecr-frontdoor: {error}")
cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
app.synth()
