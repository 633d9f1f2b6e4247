"""Access with the real authenticator: access entries that are late or missing, bearer tokens that are too old."""

import base64
import re
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from lambda_fn.contract.authorization import Authorization
from lambda_fn.contract.errors import ClusterError
from lambda_fn.edges.eks import Eks
from testbed.sandbox.access import grant_access, revoke_access
from testbed.sandbox.world import World
from tests.cluster.conftest import assume
from tests.cluster.site import Site
from tests.contract.cluster import template

LATE_BY_SECONDS = 6


@pytest.fixture
def stranger(world: World) -> str:
    """The ARN of a role without an access entry."""
    return f"arn:aws:iam::{world.account}:role/stranger-{uuid.uuid4().hex[:8]}"


def as_role(site: Site, operator: boto3.Session, role_arn: str) -> Eks:
    session = assume(operator, role_arn)
    return Eks(site.settings.cluster, site.settings.proxy.resolver, session.client("eks"), session.client("sts"))


def test_an_access_entry_that_appears_late_is_waited_for(
    site: Site, world: World, operator: boto3.Session, stranger: str
) -> None:
    site.create(template(site.settings, "hello"))
    timer = threading.Timer(LATE_BY_SECONDS, grant_access, (world, stranger, [site.settings.refresher_group]))
    started_at = time.monotonic()
    timer.start()
    try:
        assert site.connect(as_role(site, operator, stranger)).read_template() == "hello"
    finally:
        timer.join()
        revoke_access(world, stranger)
    assert time.monotonic() - started_at > LATE_BY_SECONDS


def test_a_missing_access_entry_is_named_with_its_role(site: Site, operator: boto3.Session, stranger: str) -> None:
    site.invocation.remaining_seconds = 17
    with pytest.raises(ClusterError) as caught:
        site.connect(as_role(site, operator, stranger)).read_template()
    assert "Kubernetes does not know the Lambda's role (401 on: get configmaps aws-registry-proxy-tpl)" in str(
        caught.value
    )
    assert f"The access entry of {stranger} in cluster shared is missing" in str(caught.value)


def test_an_entry_for_another_group_is_a_403_that_names_the_group(
    site: Site, world: World, operator: boto3.Session, stranger: str
) -> None:
    grant_access(world, stranger, ["another:group"])
    try:
        site.invocation.remaining_seconds = 20
        with pytest.raises(ClusterError, match="bound to group cluster-tests:refresher"):
            site.connect(as_role(site, operator, stranger)).read_template()
    finally:
        revoke_access(world, stranger)


class OldTokenFirst:
    """An access whose first bearer token is twenty minutes old."""

    def __init__(self, eks: Eks) -> None:
        self._eks = eks
        self.given = 0

    def bearer(self) -> Authorization:
        self.given += 1
        fresh = self._eks.bearer()
        return aged(fresh) if self.given == 1 else fresh

    def explain_refusal(self) -> str:
        return self._eks.explain_refusal()


def aged(token: Authorization) -> Authorization:
    prefix, encoded = token.reveal().split(".")
    url = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    then = datetime.now(UTC) - timedelta(minutes=20)
    url = re.sub(r"X-Amz-Date=[^&]+", f"X-Amz-Date={then:%Y%m%dT%H%M%SZ}", url)
    return Authorization(f"{prefix}.{base64.urlsafe_b64encode(url.encode()).decode().rstrip('=')}")


def test_an_expired_bearer_token_is_replaced(site: Site) -> None:
    site.create(template(site.settings, "hello"))
    access = OldTokenFirst(site.eks)
    assert site.connect(access).read_template() == "hello"
    assert access.given >= 2


def test_an_unreachable_api_server_is_an_error_that_names_it_and_the_network_settings(site: Site) -> None:
    site.invocation.remaining_seconds = 16
    described = site.eks.connect()
    cluster = site.settings.cluster.model_copy(
        update={"endpoint": "https://192.0.2.2:1", "certificate_authority": described.certificate_authority}
    )
    site.settings = site.settings.model_copy(update={"cluster": cluster})
    site.eks = Eks(cluster, site.settings.proxy.resolver)
    with pytest.raises(ClusterError, match=r"https://192\.0\.2\.2:1 cannot be reached .*cluster\.vpc_id"):
        site.connect().read_template()
