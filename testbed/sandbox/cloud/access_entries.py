"""EKS's DescribeAccessEntry, which moto lacks, answered from what the running authenticator goes by."""

import re

from aiohttp import web

from testbed.sandbox.access import groups_of
from testbed.sandbox.cloud import answers
from testbed.sandbox.world import World

PATH = re.compile(r"/clusters/(?P<cluster>[^/]+)/access-entries/(?P<arn>arn:.+)")
"""https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeAccessEntry.html"""


def answer(world: World, cluster: str, arn: str) -> web.Response:
    """The entry of one role, as far as the sandbox knows entries: its groups."""
    groups = groups_of(world, arn) if cluster == world.cluster else None
    if groups is None:
        message = f"The specified principalArn could not be found: {arn}"
        return answers.json_error(404, "ResourceNotFoundException", message)
    entry = {"clusterName": cluster, "principalArn": arn, "kubernetesGroups": groups, "type": "STANDARD"}
    return web.json_response({"accessEntry": entry})
