"""`FrontdoorStack` in a team's own CDK app, beside the stack of its repositories.

Install the front door into the app's environment, from a checkout of a release:

    pip install --require-hashes -r ecr-frontdoor/requirements.txt && pip install --no-deps ./ecr-frontdoor

The settings stay in a file, which `frontdoor check` and `frontdoor doctor` read, too. Where the app makes them, give
`parse_toml` a text instead.
"""

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_ecr as ecr
from constructs import Construct

from lambda_fn.settings.parse import parse_toml
from stacks.frontdoor_stack import FrontdoorStack

SETTINGS = Path(__file__).with_name("frontdoor.toml")


class RepositoriesStack(cdk.Stack):
    """The team's repositories, which the settings allow."""

    def __init__(self, scope: Construct, construct_id: str, *, env: cdk.Environment) -> None:
        super().__init__(scope, construct_id, env=env)
        for name in ("app", "web"):
            ecr.Repository(
                self,
                name.title(),
                repository_name=f"team/{name}",
                image_scan_on_push=True,
                image_tag_mutability=ecr.TagMutability.IMMUTABLE,
                lifecycle_rules=[ecr.LifecycleRule(max_image_count=100)],
            )


def main() -> None:
    """Synthesize both stacks. The front door is deployed after what it serves."""
    app = cdk.App()
    settings = parse_toml(SETTINGS.read_text("utf-8"), str(SETTINGS))
    repositories = RepositoriesStack(app, "Repositories", env=cdk.Environment(region=settings.cluster.region))
    front_door = FrontdoorStack(app, "FrontDoor", settings=settings)
    front_door.add_stack_dependency(repositories)
    cdk.Tags.of(app).add("team", "platform")
    app.synth()


main()
