"""Clients of the double that follow nothing, and what they need to push and pull. Those of the proxy know no login."""

import ssl
import uuid
from collections.abc import Iterator

import boto3
import botocore.session
import httpx2
import pytest

from testbed.sandbox.cloud.control import Control
from testbed.sandbox.cloud.publish import Publisher
from testbed.sandbox.world import World
from testbed.tests.ecr_double.layers import LAYER, located

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture(autouse=True)
def healthy(control: Control) -> Control:
    """Every test starts and ends with a healthy double."""
    return control


@pytest.fixture
def client(trust: ssl.SSLContext) -> Iterator[httpx2.Client]:
    with httpx2.Client(verify=trust, trust_env=False, headers={"Accept": MANIFEST}) as session:
        yield session


@pytest.fixture
def authorization(control: Control, world: World) -> str:
    return control.issue_token(world.region).authorization


@pytest.fixture
def ecr(trust: ssl.SSLContext, world: World, authorization: str) -> Iterator[httpx2.Client]:
    """A client of the private registry, logged in."""
    with httpx2.Client(
        verify=trust,
        trust_env=False,
        base_url=f"https://{world.ecr_host}",
        headers={"Authorization": f"Basic {authorization}", "Accept": MANIFEST},
    ) as session:
        yield session


@pytest.fixture
def publisher(client: httpx2.Client, world: World, authorization: str) -> Publisher:
    return Publisher(client, world.ecr_host, authorization)


@pytest.fixture
def repository() -> str:
    """A repository of this test alone."""
    return f"test/{uuid.uuid4().hex}"


@pytest.fixture
def digest(publisher: Publisher, repository: str) -> str:
    return publisher.blob(repository, LAYER)


@pytest.fixture
def location(ecr: httpx2.Client, repository: str, digest: str) -> str:
    return located(ecr, repository, digest)


@pytest.fixture
def refresher(world: World) -> boto3.Session:
    """The Lambda's role, assumed through STS by the operator of the credentials file."""
    profile = botocore.session.Session()
    profile.set_config_variable("credentials_file", str(world.cloud / "credentials"))
    profile.set_config_variable("profile", "refresher")
    return boto3.Session(botocore_session=profile)


@pytest.fixture
def bundle(world: World) -> str:
    return str(world.ca.certificate)
