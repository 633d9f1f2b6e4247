"""The CDK app: reads `frontdoor.toml`, or the file or folder of `cdk deploy -c config=PATH`; a stack for each file."""

import sys
from collections.abc import Iterable
from pathlib import Path

import aws_cdk as cdk

from lambda_fn.contract.errors import FrontdoorError
from stacks.environments import DEFAULT_CONFIG, Environment, environments


def main() -> None:
    """Synthesize, or end with one message that names the mistake."""
    # cdk-nag checks here, cfn-lint in the tests. CDK's own validation does what cfn-lint does, and doubles the time.
    app = cdk.App(builtin_cloud_formation_validation=False)
    config = Path(app.node.try_get_context("config") or DEFAULT_CONFIG)
    try:
        _synthesize(app, environments(config, option="-c config=PATH"))
    except (OSError, FrontdoorError) as error:
        sys.exit(f"ecr-frontdoor: {error}")


def _synthesize(app: cdk.App, found: Iterable[Environment]) -> None:
    # These take seconds to load: a mistake in the settings is reported before.
    from cdk_nag import AwsSolutionsChecks  # noqa: PLC0415

    from stacks.frontdoor_stack import FrontdoorStack  # noqa: PLC0415

    for environment in found:
        try:
            FrontdoorStack(app, environment.name or "EcrFrontdoor", settings=environment.settings)
        except FrontdoorError as error:
            if environment.name:
                raise FrontdoorError(f"{environment.path}: {error}") from error
            raise
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()


main()
