"""The version that the real API server gives to the Lambda, with the rights that every identity has."""

import json
from dataclasses import replace

from lambda_fn.edges.kubernetes_version import version_of
from tests.cluster.site import Site
from tests.cluster.test_deployer import kubectl


def test_the_api_server_names_its_version_to_the_lambda_where_eks_was_not_asked(site: Site) -> None:
    connection = replace(site.eks.connect(), version=None)
    server = json.loads(kubectl("version", "--output=json").stdout)["serverVersion"]
    assert version_of(connection, site.access.bearer) == f"{server['major']}.{server['minor']}"
