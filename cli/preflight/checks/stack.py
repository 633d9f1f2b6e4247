"""Whether the stack's state allows a deployment, and whether it is the stack of this cluster and namespace."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cli.doctor.check import Category, Check
from cli.doctor.checks.stack import state
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok
from cli.doctor.stack_resources import REFRESHER_FUNCTION
from lambda_fn.contract.runtime import SETTINGS_METADATA
from lambda_fn.settings.cluster import Cluster
from stacks.stack_name import stack_name

_RIGHTS = {
    "kubectl": "its kubectl becomes administrator of the cluster",
    "namespaced": "its kubectl gets rights to the objects of the namespace, which an administrator applies first: "
    "frontdoor manifests --access",
    "external": "you apply the charts: frontdoor manifests",
}


def run(context: CheckContext) -> Iterator[Finding]:
    """A new stack with what it brings along, or the state of the one that is there."""
    settings, status = context.settings, context.stack.status
    name = stack_name(settings)
    if status and context.stack.is_deployed:
        yield state(context, status)
        if settings.deployment.stack_name:  # the default name has cluster and namespace
            yield from _moved(name, settings.cluster, context.template)
        return
    place, rights = settings.cluster.namespace, _RIGHTS[settings.manifests]
    where = f"in {len(settings.cluster.subnet_ids)} subnets" if settings.cluster.subnet_ids else "outside of the VPC"
    yield ok(
        f"a deployment makes stack {name}{f' ({status})' if status else ''} in {settings.cluster.region}: a Lambda "
        f"{where}, its schedules and alarms, and {settings.proxy.replicas} proxy pods in namespace {place}; {rights}"
    )


def _moved(name: str, cluster: Cluster, template: Mapping[str, Any]) -> Iterator[Finding]:
    """CDK's kubectl applies the objects in the new place, and deletes none in the old one."""
    functions = (one for logical, one in template["Resources"].items() if logical.startswith(REFRESHER_FUNCTION))
    text = next((one.get("Metadata", {}).get(SETTINGS_METADATA) for one in functions), None)
    if text is None:
        return
    deployed = json.loads(text)["cluster"]
    for key in ("name", "namespace"):
        ours, theirs = getattr(cluster, key), deployed.get(key, Cluster.model_fields[key].default)
        if ours != theirs:
            yield failed(
                f"cluster.{key} = {ours}: stack {name} was deployed with {theirs}, and an update leaves its objects "
                "there, which serve until their token expires",
                f"destroy the stack with the settings of {theirs} first, or set deployment.stack_name to a new name",
            )


CHECK = Check("stack", Category.AWS, run, needs=("aws",), runbook="docs/operations.md#when-a-deployment-fails")
