"""For every test a namespace with the charts' Role, and the Lambda's edges with a role that no other test uses."""

import os
import uuid
from collections.abc import Iterator

import boto3
import pytest
from lightkube import Client, KubeConfig
from lightkube.codecs import from_dict
from lightkube.resources.core_v1 import Namespace

import k8s_manifests
from lambda_fn.edges.eks import Eks
from lambda_fn.settings import Settings, parse_toml
from testbed.sandbox.access import grant_access, revoke_access
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.world import World
from tests.cluster.site import Site

GROUP = "cluster-tests:refresher"
"""The one role's, in every test's namespace: by default each namespace has its own."""


@pytest.fixture
def control(world: World) -> Iterator[Control]:
    """The switches of the double of AWS and ECR, all off before and after."""
    del world
    double = Control()
    double.reset()
    yield double
    double.reset()


@pytest.fixture(scope="session")
def administrator(world: World) -> Iterator[Client]:
    with Client(KubeConfig.from_file(world.kubeconfig).get(), field_manager="charts") as client:
        yield client


@pytest.fixture(scope="session")
def operator(world: World) -> boto3.Session:
    """AWS, as the operator."""
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = str(world.cloud / "credentials")
    return boto3.Session(profile_name="default", region_name=world.region)


def assume(operator: boto3.Session, role_arn: str) -> boto3.Session:
    """AWS, as a role."""
    given = operator.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="tests")["Credentials"]
    return boto3.Session(
        given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], region_name=operator.region_name
    )


@pytest.fixture(scope="session")
def role_arn(world: World) -> Iterator[str]:
    """A role that is not the sandbox's own, so that its access entry is ours alone."""
    arn = f"arn:aws:iam::{world.account}:role/cluster-tests-{uuid.uuid4().hex[:8]}"
    grant_access(world, arn, [GROUP])
    yield arn
    revoke_access(world, arn)


@pytest.fixture(scope="session")
def lambda_role(operator: boto3.Session, role_arn: str) -> boto3.Session:
    return assume(operator, role_arn)


@pytest.fixture
def settings(world: World) -> Settings:
    return parse_toml(
        f"""
        domain = "{world.domain}"
        cluster = {{ name = "{world.cluster}", region = "{world.region}", namespace = "t-{uuid.uuid4().hex[:8]}" }}
        registries = [{{ account = "{world.account}", region = "{world.region}", repositories = ["team/*"] }}]
        proxy = {{ exposure = {{ kind = "service" }}, resolver = "{world.dns_address}" }}
        refresh = {{ rollout_timeout_seconds = 30 }}
        names = {{ group = "{GROUP}" }}
        """,
        "the test's settings",
    )


@pytest.fixture
def site(settings: Settings, administrator: Client, lambda_role: boto3.Session) -> Iterator[Site]:
    for document in k8s_manifests.documents(settings):
        if document["kind"] in {"Namespace", "Role", "RoleBinding"}:
            administrator.apply(from_dict(document), force=True)
    eks = Eks(settings.cluster, settings.proxy.resolver, lambda_role.client("eks"), lambda_role.client("sts"))
    found = Site(settings, administrator, eks, eks)
    yield found
    found.close()
    administrator.delete(Namespace, settings.cluster.namespace)
