"""An operator runs the doctor, and changes the front door before."""

import json
from contextlib import closing
from dataclasses import replace

import boto3

from cli.doctor.checks import all_checks
from cli.doctor.context import CheckContext
from cli.doctor.examination import examine
from cli.doctor.finding import Finding
from cli.doctor.kubernetes_errors import RequestRefusedError
from testbed.sandbox import installation
from testbed.sandbox.commands import run
from testbed.sandbox.world import World


def is_known(world: World, aws: boto3.Session) -> bool:
    """Whether the cluster accepts the operator: the authenticator reads a new access entry about a second later."""
    settings = installation.settings(world)
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": world.namespace}}
    with closing(CheckContext(settings=settings, aws=aws)) as context:
        try:
            return context.kubernetes.find(namespace) is not None
        except RequestRefusedError:
            return False


def examined(context: CheckContext) -> list[Finding]:
    """The findings of all checks, with connections of their own."""
    with closing(replace(context)) as fresh:
        return list(examine(all_checks(), fresh))


def patch(world: World, thing: str, change: object) -> None:
    """Change an object, as an operator does."""
    place = f"--namespace={world.namespace}"
    manager = "--field-manager=kubectl-edit"
    run(("kubectl", "patch", thing, place, "--type=merge", manager, "--patch", json.dumps(change)))


def refreshed(world: World) -> None:
    invocation = installation.refresh(world, {})
    assert invocation.error is None, invocation.log
