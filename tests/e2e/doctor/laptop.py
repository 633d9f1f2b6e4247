"""Whoever runs the doctor, and what is done to the front door before."""

import json
from contextlib import closing

import boto3

from cli.doctor.examination import examine
from cli.doctor.finding import Finding
from cli.doctor.kubernetes import Kubernetes, Unreadable
from cli.doctor.site import Site
from lambda_fn.edges.eks import Eks
from testbed.sandbox import installation
from testbed.sandbox.commands import run
from testbed.sandbox.world import World


def is_known(world: World, aws: boto3.Session) -> bool:
    """Whether the cluster knows the operator by now: the authenticator reads a new entry about a second later."""
    settings = installation.settings(world)
    eks = Eks(settings, aws.client("eks"), aws.client("sts"))
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": world.namespace}}
    with closing(Kubernetes(Site(settings=settings, aws=aws), eks.connect(), eks.bearer())) as kubernetes:
        try:
            return kubernetes.find(namespace) is not None
        except Unreadable:
            return False


def found(site: Site) -> list[Finding]:
    return list(examine(site, begin=lambda _: None))


def patch(world: World, thing: str, change: object) -> None:
    """A change as an operator makes it."""
    place = f"--namespace={world.namespace}"
    manager = "--field-manager=kubectl-edit"
    run(("kubectl", "patch", thing, place, "--type=merge", manager, "--patch", json.dumps(change)))


def refreshed(world: World) -> None:
    invocation = installation.refresh(world, {})
    assert invocation.error is None, invocation.log
