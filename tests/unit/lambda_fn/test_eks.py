"""The cluster as EKS describes it, and the bearer token it accepts; botocore is real, its answers are given."""

import base64
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.stub import Stubber

from lambda_fn.contract.errors import ClusterError
from lambda_fn.edges.eks import Eks
from lambda_fn.job.connection import Connection
from lambda_fn.settings import Settings, parse_toml
from tests.fakes.authority import CERTIFICATE_AUTHORITY

REGION = "ap-southeast-2"
ENDPOINT = "https://0123.gr7.ap-southeast-2.eks.amazonaws.com"
ACTIVE: dict[str, Any] = {
    "name": "shared",
    "status": "ACTIVE",
    "endpoint": ENDPOINT,
    "certificateAuthority": {"data": "Q0E="},
    "kubernetesNetworkConfig": {"serviceIpv4Cidr": "172.20.0.0/16", "ipFamily": "ipv4"},
    "accessConfig": {"authenticationMode": "API"},
}


def settings(cluster: str = "", proxy: str = "") -> Settings:
    return parse_toml(
        f"""
        domain = "registry.frontdoor.test"
        registries = [{{ account = "123456789012", region = "{REGION}" }}]
        cluster = {{ name = "shared", region = "{REGION}" {cluster} }}
        proxy = {{ exposure = {{ kind = "service" }} {proxy} }}
        """,
        "the test's settings",
    )


class Aws:
    """EKS and STS with the answers they are given, in order."""

    def __init__(self) -> None:
        self.eks = boto3.client("eks", region_name=REGION)
        self.sts = boto3.client("sts", region_name=REGION)
        self.eks_answers, self.sts_answers = Stubber(self.eks), Stubber(self.sts)
        self.eks_answers.activate()

    def describes(self, **changes: object) -> "Aws":
        described = {key: value for key, value in {**ACTIVE, **changes}.items() if value is not None}
        self.eks_answers.add_response("describe_cluster", {"cluster": described}, {"name": "shared"})
        return self

    def refuses(self, code: str, message: str) -> "Aws":
        self.eks_answers.add_client_error("describe_cluster", code, message)
        return self

    def of(self, of: Settings) -> Eks:
        return Eks(of.cluster, of.proxy.resolver, self.eks, self.sts)


@pytest.fixture
def aws() -> Aws:
    return Aws()


def test_the_cluster_is_reached_as_eks_describes_it(aws: Aws) -> None:
    assert aws.describes().of(settings()).connect() == Connection(ENDPOINT, "Q0E=", "172.20.0.10")


def test_the_version_of_kubernetes_is_that_which_eks_names(aws: Aws) -> None:
    assert aws.describes(version="1.36").of(settings()).connect().version == "1.36"


def test_an_updating_cluster_is_reached(aws: Aws) -> None:
    assert aws.describes(status="UPDATING").of(settings()).connect().endpoint == ENDPOINT


def test_an_ipv6_cluster_has_its_resolver_in_brackets(aws: Aws) -> None:
    network = {"serviceIpv6Cidr": "fd12:3456::/108", "ipFamily": "ipv6"}
    assert aws.describes(kubernetesNetworkConfig=network).of(settings()).connect().resolver == "[fd12:3456::a]"


def test_a_resolver_in_the_settings_comes_first(aws: Aws) -> None:
    found = aws.describes(kubernetesNetworkConfig=None).of(settings(proxy=', resolver = "10.0.0.2"')).connect()
    assert found.resolver == "10.0.0.2"


def test_with_endpoint_and_ca_in_the_settings_eks_is_not_asked(aws: Aws) -> None:
    of = settings(
        f', endpoint = "https://k8s.example", certificate_authority = "{CERTIFICATE_AUTHORITY}"',
        ', resolver = "fd00::a", client_cidrs = ["fd00::/16"]',
    )
    assert aws.of(of).connect() == Connection("https://k8s.example", CERTIFICATE_AUTHORITY, "[fd00::a]")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"status": "CREATING", "endpoint": None}, "EKS cluster shared in ap-southeast-2 is CREATING"),
        ({"status": "DELETING"}, "is DELETING and has no usable endpoint. Fix: wait until it is ACTIVE"),
        ({"endpoint": None}, "no usable endpoint"),
        ({"certificateAuthority": None}, "no usable endpoint"),
        ({"kubernetesNetworkConfig": None}, "set proxy.resolver to the cluster's DNS address"),
    ],
)
def test_a_cluster_that_cannot_be_used_is_an_error(aws: Aws, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ClusterError) as caught:
        aws.describes(**changes).of(settings()).connect()
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("code", "message", "fix"),
    [
        ("ResourceNotFoundException", "No cluster found for name: shared.", "correct cluster.name and cluster.region"),
        ("AccessDeniedException", "not authorized", "the Lambda's role needs eks:DescribeCluster on it"),
        ("ServerException", "try later", "the schedule tries again"),
    ],
)
def test_a_refusal_of_eks_says_the_fix(aws: Aws, code: str, message: str, fix: str) -> None:
    with pytest.raises(ClusterError) as caught:
        aws.refuses(code, message).of(settings()).connect()
    assert f"EKS does not describe cluster shared in ap-southeast-2: {message}. Fix: {fix}" in str(caught.value)


def test_the_bearer_is_a_presigned_regional_call_bound_to_the_cluster(aws: Aws) -> None:
    token = aws.of(settings()).bearer().reveal()
    prefix, _, encoded = token.partition(".")
    assert prefix == "k8s-aws-v1"
    assert "=" not in encoded
    url = urlsplit(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode())
    query = parse_qs(url.query)
    assert (url.scheme, url.hostname, url.path) == ("https", "sts.ap-southeast-2.amazonaws.com", "/")
    assert query["Action"] == ["GetCallerIdentity"]
    assert query["X-Amz-Expires"] == ["60"]
    assert query["X-Amz-SignedHeaders"] == ["host;x-k8s-aws-id"]
    assert query["X-Amz-Security-Token"] == ["a-session-token"]
    assert "ClusterName" not in url.query


def test_tokens_for_two_clusters_differ_in_their_signature(aws: Aws) -> None:
    other = settings().model_copy(update={"cluster": settings().cluster.model_copy(update={"name": "other"})})
    assert aws.of(settings()).bearer() != Aws().of(other).bearer()


@pytest.mark.parametrize(
    ("arn", "reason"),
    [
        (
            "arn:aws:sts::123456789012:assumed-role/frontdoor-refresher/session",
            "The access entry of arn:aws:iam::123456789012:role/frontdoor-refresher in cluster shared is missing",
        ),
        (
            "arn:aws:iam::123456789012:user/me",
            "The access entry of arn:aws:iam::123456789012:user/me in cluster shared",
        ),
    ],
)
def test_a_refusal_of_the_cluster_names_the_role_and_the_access_entry(aws: Aws, arn: str, reason: str) -> None:
    eks = aws.of(settings())
    aws.sts_answers.activate()
    aws.sts_answers.add_response("get_caller_identity", {"Arn": arn, "Account": "123456789012", "UserId": "x"})
    assert reason in eks.explain_refusal()
    assert "aws eks list-access-entries --cluster-name shared --region ap-southeast-2" in eks.explain_refusal()


def test_a_refusal_is_explained_without_sts_and_without_waiting_for_it(aws: Aws) -> None:
    eks = aws.of(settings())
    aws.sts_answers.activate()
    aws.sts_answers.add_client_error("get_caller_identity", "ServerException", "try later")
    assert "The access entry of the Lambda's role in cluster shared is missing" in eks.explain_refusal()


def test_a_cluster_that_ignores_access_entries_gets_its_fix(aws: Aws) -> None:
    eks = aws.describes(accessConfig={"authenticationMode": "CONFIG_MAP"}).of(settings())
    eks.connect()
    assert "ignores access entries. Fix: switch it to API_AND_CONFIG_MAP" in eks.explain_refusal()
