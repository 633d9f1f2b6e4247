"""What a deployment does in the cluster: it applies the objects, then waits for a first run of the Lambda."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import IDependable

from lambda_fn.contract.objects import deployer_group, deployer_role
from lambda_fn.settings.models import Settings
from stacks.first_run import FirstRun
from stacks.load_balancer import LoadBalancer
from stacks.logs import log_group
from stacks.network import Network
from stacks.refresh import Refresh
from stacks.workload import Deployer, Documents, Workload


def first_run(  # noqa: PLR0913 - properties, each passed by name
    stack: cdk.Stack,
    settings: Settings,
    objects: Documents,
    refresh: Refresh,
    *,
    network: Network | None,
    balancer: LoadBalancer | None,
    after: Sequence[IDependable],
    key: kms.IKey | None,
) -> FirstRun | None:
    """Add the objects and the run that follows them to the stack; None without objects.

    Args:
        stack: Of the installation.
        settings: Of the installation.
        objects: To apply in the cluster.
        refresh: The Lambda that runs.
        network: Of the Lambda and of kubectl; None outside the cluster's VPC.
        balancer: In front of the pods; None without one.
        after: What must exist before the Lambda can reach AWS and the cluster.
        key: Encrypts the log; None without a key of the stack.
    """
    if not objects:
        return None
    # One log group for all functions of CDK: otherwise Lambda would create one for each, without retention or key.
    # It outlives a first deployment that is rolled back: an error of kubectl that is too long for CloudFormation, such
    # as of an update that a webhook forbids, stands only there.
    days = settings.refresh.log_retention_days
    log = log_group(stack, "DeploymentLog", retention_days=days, removal_policy=cdk.RemovalPolicy.RETAIN, key=key)
    workload = _workload(stack, settings, objects, network, log)
    # Pods become ready when the load balancer finds them healthy, so it must exist before them.
    workload.node.add_dependency(*(balancer.before_pods if balancer else []), *after)
    run = FirstRun(
        stack,
        "FirstRun",
        function=refresh.function,
        timeout=refresh.timeout,
        after=[*after, workload],
        log_group=log,
    )
    if balancer:
        # Clients are led to another target group when the run has seen pods that are healthy in it.
        balancer.listener.node.add_dependency(run)
    return run


def _workload(
    stack: cdk.Stack, settings: Settings, objects: Documents, network: Network | None, log: logs.ILogGroup
) -> Workload:
    deployer = Deployer(deployer_group(settings.cluster.namespace), deployer_role(settings.names.workload))
    return Workload(
        stack,
        "Workload",
        cluster=settings.cluster,
        documents=objects,
        deployer=deployer if settings.manifests == "namespaced" else None,
        keep_objects=settings.keep_objects,
        network=network,
        log_group=log,
    )
