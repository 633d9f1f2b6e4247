"""For every test a namespace with the charts' Role, and the Lambda's edges with a role that no other test uses."""

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from lightkube import Client, KubeConfig
from lightkube.codecs import from_dict
from lightkube.resources.core_v1 import Namespace

import k8s_manifests
from lambda_fn.contract.objects import watcher_role
from lambda_fn.contract.runtime import SETTINGS_FILE, TASK_ROOT, WATCHER_HANDLER
from lambda_fn.edges.clock import LambdaClock
from lambda_fn.edges.eks import Eks
from lambda_fn.edges.kubernetes_session import KubernetesSession
from lambda_fn.job.api_error import Grant
from lambda_fn.settings import Settings, parse_toml, to_json
from testbed.sandbox.access import grant_access, revoke_access
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.deployment import entries
from testbed.sandbox.lambda_runtime import invoke
from testbed.sandbox.world import World
from tests.cluster.site import Site

Run = Callable[[object], Any]
"""Runs the watcher with an event; returns its answer."""
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


@pytest.fixture
def watcher_arn(site: Site, world: World) -> Iterator[str]:
    """A role with the access entry of this namespace's watcher, in force."""
    arn = f"arn:aws:iam::{world.account}:role/watcher-{uuid.uuid4().hex[:8]}"
    grant_access(world, arn, [site.settings.watcher_group])
    entries.wait_until_known(world, arn)
    yield arn
    revoke_access(world, arn)


@pytest.fixture
def role(operator: boto3.Session, watcher_arn: str) -> boto3.Session:
    return assume(operator, watcher_arn)


@contextmanager
def watcher_session(site: Site, role: boto3.Session) -> Iterator[KubernetesSession]:
    """A watcher's connection to the cluster."""
    of = site.settings
    eks = Eks(of.cluster, of.proxy.resolver, role.client("eks"), role.client("sts"))
    grant = Grant(of.cluster.namespace, watcher_role(of.names.workload), of.watcher_group)
    with closing(KubernetesSession(grant, eks.connect(), eks, LambdaClock(site.invocation))) as session:
        yield session


@pytest.fixture
def run(site: Site, world: World, role: boto3.Session, tmp_path: Path) -> Run:
    """Runs the watcher under Lambda's runtime interface client."""
    credentials = role.get_credentials()
    assert credentials is not None
    keys = credentials.get_frozen_credentials()
    environment = {
        "AWS_REGION": world.region,
        "AWS_ACCESS_KEY_ID": str(keys.access_key),
        "AWS_SECRET_ACCESS_KEY": str(keys.secret_key),
        "AWS_SESSION_TOKEN": str(keys.token),
        "AWS_CA_BUNDLE": os.environ["AWS_CA_BUNDLE"],
        "SSL_CERT_FILE": os.environ["SSL_CERT_FILE"],
        TASK_ROOT: str(tmp_path),
    }
    (tmp_path / SETTINGS_FILE).write_text(to_json(site.settings), encoding="utf-8")

    def run(sent: object) -> Any:  # noqa: ANN401 - what the function returns
        done = invoke(WATCHER_HANDLER, sent, environment, 120)
        assert done.error is None, done.error
        return done.payload

    return run
