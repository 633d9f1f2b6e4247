"""Whether `cdk bootstrap` has run in the account and region, and whether its role for deployments can be assumed."""

from collections.abc import Iterator

from botocore.exceptions import BotoCoreError, ClientError

from cli.doctor.aws_calls import error_text, get_or_none
from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok, warning
from cli.preflight.checks import RUNBOOK
from lambda_fn.contract.registries import partition_of

LEAST_VERSION = 6
"""What every template of CDK 2 asks for (its rule CheckBootstrapVersion); a test compares."""
_QUALIFIER = "hnb659fds"
"""CDK's own: https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-customizing.html"""


def run(context: CheckContext) -> Iterator[Finding]:
    """The version of the bootstrap stack, then its role."""
    region = context.settings.cluster.region
    qualifier = context.settings.deployment.bootstrap_qualifier or _QUALIFIER
    account = context.client("sts").get_caller_identity()["Account"]
    option = "" if qualifier == _QUALIFIER else f" --qualifier {qualifier}"
    command = f"cdk bootstrap aws://{account}/{region}{option}"
    name = f"/cdk-bootstrap/{qualifier}/version"
    found = get_or_none(context.client("ssm").get_parameter, Name=name)
    if found is None:
        # CDK also takes a qualifier from its context, which the command line or a file of the operator may have.
        other = "" if option else "set deployment.bootstrap_qualifier where your account has another qualifier, or: "
        yield failed(
            f"account {account} is not bootstrapped for CDK in {region}: there is no parameter {name}", other + command
        )
        return
    version = str(found["Parameter"]["Value"])
    if not version.isdigit() or int(version) < LEAST_VERSION:
        yield failed(f"the bootstrap stack has version {version}, and CDK needs {LEAST_VERSION}", command)
        return
    yield ok(f"the bootstrap stack in {region} has version {version}")
    yield _role(context, account, qualifier)


def _role(context: CheckContext, account: str, qualifier: str) -> Finding:
    """Without it CDK deploys with the operator's own rights, which has to be wanted."""
    region = context.settings.cluster.region
    role = f"cdk-{qualifier}-deploy-role-{account}-{region}"
    arn = f"arn:{partition_of(region).name}:iam::{account}:role/{role}"
    try:
        context.client("sts").assume_role(RoleArn=arn, RoleSessionName="frontdoor-check", DurationSeconds=900)
    except (BotoCoreError, ClientError) as error:
        hint = f"allow your identity sts:AssumeRole on {arn}, or deploy with an identity that may"
        return warning(f"you may not assume {role}, with which CDK deploys: {error_text(error)}", hint)
    return ok(f"you may assume {role}")


CHECK = Check("bootstrap", Category.AWS, run, needs=("aws",), runbook=RUNBOOK)
