"""Whether the stack exists, and whether its last deployment succeeded."""

from collections.abc import Iterator

from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok, warning
from stacks.stack_name import stack_name

_DEPLOY_AGAIN = "read the stack's events, correct the failure, deploy again"
_DELETE_FIRST = (
    "read the stack's events, correct the failure, delete the stack (make destroy) and deploy: it holds no data"
)
_FAILED_HINTS = {
    "ROLLBACK_COMPLETE": _DELETE_FIRST,
    "ROLLBACK_FAILED": _DELETE_FIRST,
    "CREATE_FAILED": _DELETE_FIRST,
    "DELETE_FAILED": "read the stack's events, remove what blocks the deletion, run make destroy again",
    "UPDATE_FAILED": _DEPLOY_AGAIN,
    "REVIEW_IN_PROGRESS": "deploy: there is only a change set",
}


def run(context: CheckContext) -> Iterator[Finding]:
    """The stack's status."""
    name, region = stack_name(context.settings.cluster), context.settings.cluster.region
    if context.stack.status is None:
        yield failed(
            f"stack {name} does not exist in {region} of your AWS account",
            "deploy (README), or name the right account or settings with --profile or --config",
            fatal=True,
        )
    else:
        yield status_finding(name, region, context.stack.status)


def status_finding(name: str, region: str, status: str) -> Finding:
    """What a stack's status means.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html#cfn-console-view-stack-data-resources-status-codes
    """
    message = f"stack {name} is {status}"
    if status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}:
        return ok(message)
    if status == "UPDATE_ROLLBACK_FAILED":
        command = f"aws cloudformation continue-update-rollback --region {region} --stack-name {name}"
        return failed(f"{message}: parts of it are of the old deployment, others of the new one", f"{command}; deploy")
    if status in _FAILED_HINTS:
        return failed(message, _FAILED_HINTS[status])
    if status.endswith("_IN_PROGRESS"):
        return warning(message, "wait until the deployment ends, then run the doctor again")
    return warning(f"{message}: the last update failed and was rolled back", _DEPLOY_AGAIN)


CHECK = Check("stack", Category.AWS, run, needs=("aws",))
