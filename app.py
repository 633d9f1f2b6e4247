"""`frontdoor.toml` -> `Settings` -> the stack; `cdk deploy -c config=PATH` takes another file."""

import sys
from pathlib import Path

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from lambda_fn.contract.errors import FrontdoorError
from lambda_fn.settings.parse import parse_toml
from stacks.frontdoor_stack import FrontdoorStack

# cdk-nag is the check here. CDK's own validation takes as long as all the rest; cfn-lint does the same in the tests.
app = cdk.App(builtin_cloud_formation_validation=False)
config = Path(app.node.try_get_context("config") or "frontdoor.toml")
try:
    text = config.read_text(encoding="utf-8", errors="replace")  # bytes that are no text are then no TOML
except OSError as error:
    sys.exit(f"ecr-frontdoor: cannot read {config}: {error.strerror}; -c config=PATH takes another file")
try:
    FrontdoorStack(app, "EcrFrontdoor", settings=parse_toml(text, str(config)))
except (OSError, FrontdoorError) as error:
    sys.exit(f"ecr-frontdoor: {error}")
cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
app.synth()
