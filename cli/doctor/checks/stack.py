"""Whether the stack exists, and whether its last deployment succeeded."""

from collections.abc import Iterator, Sequence

from botocore.exceptions import BotoCoreError, ClientError

from cli.doctor.aws_calls import get_or_none
from cli.doctor.charts import print_command
from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok, warning
from cli.doctor.stack_resources import APPLIED_OBJECTS, DEPLOYMENT_LOG
from stacks.stack_name import stack_name

_READ = (
    f"read the stack's events, and for 'Response object is too long' the newest log group {{name}}-{DEPLOYMENT_LOG}..."
)
"""CloudFormation does not show what kubectl says in more than 4,096 bytes, and the log of the deployment does."""
_DEPLOY_AGAIN = f"{_READ}, correct the failure, deploy again"
_DELETE_FIRST = f"{_READ}, correct the failure, delete the stack (make destroy) and deploy: it holds no data"
_ROLL_BACK_FIRST = f"{_READ}, correct the failure, let CloudFormation end the rollback, then deploy: it refuses before"
_FAILED_HINTS = {
    "ROLLBACK_COMPLETE": _DEPLOY_AGAIN,
    "ROLLBACK_FAILED": _DELETE_FIRST,
    "CREATE_FAILED": _DELETE_FIRST,
    "DELETE_FAILED": "read the stack's events, remove what blocks the deletion, run make destroy again",
    "UPDATE_FAILED": _DEPLOY_AGAIN,
    "REVIEW_IN_PROGRESS": "deploy: there is only a change set",
}


def run(context: CheckContext) -> Iterator[Finding]:
    """The stack's status, with what blocks it."""
    if (status := context.stack.status) is None:
        yield failed(
            f"stack {stack_name(context.settings)} does not exist in {context.settings.cluster.region} of your AWS "
            "account",
            "deploy (README), or name the right account or settings with --profile or --config",
            fatal=True,
        )
    else:
        yield state(context, status)


def state(context: CheckContext, status: str) -> Finding:
    """The status of a stack that exists, with what blocks it."""
    name, region = stack_name(context.settings), context.settings.cluster.region
    match status:
        case "UPDATE_ROLLBACK_FAILED":
            return rollback_failed(name, region, context.stack.failed, print_command(context.config))
        case "DELETE_FAILED" if _has_no_cluster(context):
            return cluster_deleted_first(name, region, context.settings.cluster.name)
        case _:
            return status_finding(name, status)


def status_finding(name: str, status: str) -> Finding:
    """What a stack's status means by itself.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html#cfn-console-view-stack-data-resources-status-codes
    """
    message = f"stack {name} is {status}"
    if status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}:
        return ok(message)
    if status.endswith("_FAILED") or status in _FAILED_HINTS:
        return failed(message, _FAILED_HINTS.get(status, _ROLL_BACK_FIRST).format(name=name))
    if status.endswith("_IN_PROGRESS"):
        return warning(message, "wait until the deployment ends, then run this again")
    return warning(f"{message}: the last update failed and was rolled back", _DEPLOY_AGAIN.format(name=name))


def rollback_failed(name: str, region: str, resources: Sequence[tuple[str, str]], charts: str) -> Finding:
    """A rollback that ended half-way. CloudFormation can skip the resources that failed, and then takes them for done.

    Only those: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ContinueUpdateRollback.html

    Args:
        name: The stack's.
        region: The stack's.
        resources: Type and logical id of those that failed.
        charts: The command that prints the charts.
    """
    where = f" at {', '.join(logical for _, logical in resources)}" if resources else ""
    command = f"aws cloudformation continue-update-rollback --region {region} --stack-name {name}"
    hint = f"{_READ.format(name=name)}, correct the reason, then {command}; deploy"
    if objects := [logical for kind, logical in resources if kind == APPLIED_OBJECTS]:
        hint += (
            f". Where kubectl cannot reach the cluster, add --resources-to-skip {' '.join(objects)}: this leaves the "
            f"objects of the failed update in the cluster. Then apply the earlier checkout's ({charts}), and refresh"
        )
    message = (
        f"stack {name} is UPDATE_ROLLBACK_FAILED{where}: parts of it are of the old deployment, others of the new one"
    )
    return failed(message, hint)


def cluster_deleted_first(name: str, region: str, cluster: str) -> Finding:
    """A stack that cannot be deleted, because its kubectl finds no cluster.

    The mode is allowed only for a stack that is DELETE_FAILED:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html
    """
    return failed(
        f"stack {name} is DELETE_FAILED: cluster {cluster} does not exist, so kubectl cannot delete its objects",
        f"aws cloudformation delete-stack --region {region} --stack-name {name} --deletion-mode FORCE_DELETE_STACK: it "
        "deletes the rest; the objects went with the cluster",
    )


def _has_no_cluster(context: CheckContext) -> bool:
    """Whether EKS knows that there is none; without an answer the stack's status alone is reported."""
    try:
        return get_or_none(context.client("eks").describe_cluster, name=context.settings.cluster.name) is None
    except (BotoCoreError, ClientError):
        return False


CHECK = Check("stack", Category.AWS, run, needs=("aws",), runbook="docs/operations.md#when-a-deployment-fails")
