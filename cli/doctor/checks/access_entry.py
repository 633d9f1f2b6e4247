"""Whether the cluster gives the stack's roles their Kubernetes groups."""

from collections.abc import Iterator

from cli.doctor.aws_calls import get_or_none
from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok
from cli.doctor.stack_resources import DELETED_HINT, DEPLOYER_ROLE, REFRESHER_ROLE, WATCHER_ROLE
from lambda_fn.contract.objects import deployer_group


def run(context: CheckContext) -> Iterator[Finding]:
    """The cluster's authentication mode, then the access entries of the Lambdas and of a `namespaced` kubectl."""
    cluster, region = context.settings.cluster.name, context.settings.cluster.region
    described = context.client("eks").describe_cluster(name=cluster)["cluster"]
    if described.get("accessConfig", {}).get("authenticationMode") == "CONFIG_MAP":
        yield failed(
            f"cluster {cluster} ignores access entries: its authentication mode is CONFIG_MAP",
            f"aws eks update-cluster-config --region {region} --name {cluster} --access-config "
            "authenticationMode=API_AND_CONFIG_MAP (docs/operations.md has the details)",
        )
        return
    for role in context.stack.of("AWS::IAM::Role", REFRESHER_ROLE):
        yield _entry(context, role, "the Lambda", context.settings.refresher_group)
    for role in context.stack.of("AWS::IAM::Role", WATCHER_ROLE):
        yield _entry(context, role, "the watcher", context.settings.watcher_group)
    if context.settings.manifests == "namespaced":
        for role in context.stack.of("AWS::IAM::Role", DEPLOYER_ROLE):
            yield _entry(context, role, "the deployment's kubectl", deployer_group(context.settings.cluster.namespace))


def _entry(context: CheckContext, role: str, user: str, group: str) -> Finding:
    cluster, region = context.settings.cluster.name, context.settings.cluster.region
    found = get_or_none(context.client("iam").get_role, RoleName=role)
    if found is None:
        return failed(f"role {role} of {user} does not exist any more: its access entry has no effect", DELETED_HINT)
    arn = found["Role"]["Arn"]
    options = f"--region {region} --cluster-name {cluster} --principal-arn {arn} --kubernetes-groups {group}"
    entry = get_or_none(context.client("eks").describe_access_entry, clusterName=cluster, principalArn=arn)
    if entry is None:
        return failed(
            f"cluster {cluster} has no access entry for the role of {user}", f"aws eks create-access-entry {options}"
        )
    groups = entry["accessEntry"].get("kubernetesGroups", [])
    if group not in groups:
        return failed(
            f"the access entry of {user} has the wrong group: {', '.join(groups) or 'none'} instead of {group}",
            f"aws eks update-access-entry {options}",
        )
    return ok(f"the access entry of {user} has the group {group}")


CHECK = Check(
    "access-entry", Category.AWS, run, needs=("stack",), runbook="docs/operations.md#a-cluster-that-uses-only-aws-auth"
)
