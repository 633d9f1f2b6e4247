"""The CDK app: reads `frontdoor.toml`, or the file of `cdk deploy -c config=PATH`, and synthesizes the stack."""

import sys
from pathlib import Path

import aws_cdk as cdk

from lambda_fn.contract.errors import FrontdoorError
from lambda_fn.settings import Settings
from lambda_fn.settings.parse import parse_toml


def main() -> None:
    """Synthesize, or end with one message that names the mistake."""
    # cdk-nag checks here, cfn-lint in the tests. CDK's own validation does what cfn-lint does, and doubles the time.
    app = cdk.App(builtin_cloud_formation_validation=False)
    try:
        settings = _settings(Path(app.node.try_get_context("config") or "frontdoor.toml"))
        _synthesize(app, settings)
    except (OSError, FrontdoorError) as error:
        sys.exit(f"ecr-frontdoor: {error}")


def _settings(config: Path) -> Settings:
    try:
        text = config.read_text(encoding="utf-8", errors="replace")  # invalid bytes become a TOML error
    except OSError as error:
        sys.exit(
            f"ecr-frontdoor: cannot read {config}: {error.strerror}. Fix: name an existing file with -c config=PATH"
        )
    return parse_toml(text, str(config))


def _synthesize(app: cdk.App, settings: Settings) -> None:
    # These take seconds to load: a mistake in the settings is reported before.
    from cdk_nag import AwsSolutionsChecks  # noqa: PLC0415

    from stacks.frontdoor_stack import FrontdoorStack  # noqa: PLC0415

    FrontdoorStack(app, "EcrFrontdoor", settings=settings)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()


main()
