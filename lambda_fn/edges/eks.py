"""EKS and STS: where the cluster's API is, and the Lambda's identity there."""

import base64
import re
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lambda_fn.contract.authorization import Authorization
from lambda_fn.contract.errors import ClusterError
from lambda_fn.job.connection import Connection, dns_address, nginx_address
from lambda_fn.settings.cluster import Cluster

if TYPE_CHECKING:
    from mypy_boto3_eks import EKSClient
    from mypy_boto3_eks.type_defs import ClusterTypeDef
    from mypy_boto3_sts import STSClient

_BOUNDED = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 4})
# STS is asked for the role's name only, for a message. There may be no route to it, which must not cost much time.
_ASKED_ONCE = Config(connect_timeout=2, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 1})
_CLUSTER_HEADER = "x-k8s-aws-id"
# EKS accepts a token for 15 minutes, whatever the URL's own expiry says, which must not exceed that.
_PRESIGNED_FOR_SECONDS = 60


WAIT_UNTIL_ACTIVE = "wait until it is ACTIVE; the schedule tries again"
"""The Lambda's fix where a cluster is being created, say."""


class Eks:
    """A cluster, as the role of this Lambda sees it."""

    def __init__(
        self, cluster: Cluster, resolver: str | None, eks: "EKSClient | None" = None, sts: "STSClient | None" = None
    ) -> None:
        """Prepare it; `resolver` is the cluster's DNS address, None where EKS has to say it."""
        self._cluster = cluster
        self._resolver = resolver
        self._eks = eks or boto3.client("eks", region_name=self._cluster.region, config=_BOUNDED)
        self._sts = _presigning(sts or boto3.client("sts", region_name=self._cluster.region, config=_ASKED_ONCE))
        self._authentication_mode = "unknown"

    def connect(self) -> Connection:
        """How to reach the cluster: from the settings where they say so, else as EKS describes it.

        Raises:
            ClusterError: EKS refuses, does not know the cluster, or the cluster is not active.
        """
        endpoint, authority = self._cluster.endpoint, self._cluster.certificate_authority
        resolver = self._resolver
        if endpoint and authority and resolver:
            return Connection(endpoint, authority, nginx_address(resolver))
        described = self._describe()
        self._authentication_mode = described.get("accessConfig", {}).get("authenticationMode", "unknown")
        described_endpoint = described.get("endpoint")
        described_authority = described.get("certificateAuthority", {}).get("data")
        if described.get("status") not in {"ACTIVE", "UPDATING"} or not described_endpoint or not described_authority:
            raise ClusterError(
                f"EKS cluster {self._cluster.name} in {self._cluster.region} is {described.get('status', 'unknown')} "
                f"and has no usable endpoint. Fix: {WAIT_UNTIL_ACTIVE}"
            )
        return Connection(
            endpoint or described_endpoint,
            authority or described_authority,
            nginx_address(resolver or self._dns_address(described)),
            described.get("version"),
        )

    def bearer(self) -> Authorization:
        """A new bearer token for the cluster's API; EKS accepts it for 15 minutes.

        It is a presigned GetCallerIdentity with the cluster's name in a signed header:
        https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster
        """
        try:
            url = self._sts.generate_presigned_url(
                "get_caller_identity",
                Params={"ClusterName": self._cluster.name},
                ExpiresIn=_PRESIGNED_FOR_SECONDS,
                HttpMethod="GET",
            )
        except BotoCoreError as error:
            raise ClusterError(f"no credentials to sign the cluster's bearer token with: {error}") from error
        return Authorization(f"k8s-aws-v1.{base64.urlsafe_b64encode(url.encode()).decode().rstrip('=')}")

    def explain_refusal(self) -> str:
        """Why the cluster may not know the Lambda's role, and the fix."""
        if self._authentication_mode == "CONFIG_MAP":
            return (
                f"Cluster {self._cluster.name} has the authentication mode CONFIG_MAP and ignores access entries. "
                "Fix: switch it to API_AND_CONFIG_MAP"
            )
        return (
            f"The access entry of {self._role()} in cluster {self._cluster.name} is missing or not effective yet (it "
            "takes up to a minute, and is lost when the role is replaced). Fix: deploy the stack again, or look at it "
            f"with aws eks list-access-entries --cluster-name {self._cluster.name} --region {self._cluster.region}"
        )

    def _role(self) -> str:
        try:
            arn = self._sts.get_caller_identity()["Arn"]
        except (BotoCoreError, ClientError):
            return "the Lambda's role"
        assumed = re.fullmatch(r"arn:([^:]+):sts::(\d+):assumed-role/([^/]+)/.*", arn)
        return "arn:{}:iam::{}:role/{}".format(*assumed.groups()) if assumed else arn

    def _describe(self) -> "ClusterTypeDef":
        name, region = self._cluster.name, self._cluster.region
        try:
            return self._eks.describe_cluster(name=name)["cluster"]
        except ClientError as error:
            match error.response["Error"]["Code"]:
                case "ResourceNotFoundException":
                    fix = "correct cluster.name and cluster.region"
                case "AccessDeniedException":
                    fix = "the Lambda's role needs eks:DescribeCluster on it: deploy the stack again"
                case _:
                    fix = "the schedule tries again"
            reason = error.response["Error"]["Message"]
            raise ClusterError(f"EKS does not describe cluster {name} in {region}: {reason}. Fix: {fix}") from error
        except BotoCoreError as error:
            raise ClusterError(
                f"EKS in {region} cannot be reached: {error}. Fix: give the Lambda a route to it (NAT or a VPC "
                "endpoint), or set cluster.endpoint, cluster.certificate_authority and proxy.resolver"
            ) from error

    def _dns_address(self, described: "ClusterTypeDef") -> str:
        network = described.get("kubernetesNetworkConfig", {})
        cidr = network.get("serviceIpv6Cidr") if network.get("ipFamily") == "ipv6" else network.get("serviceIpv4Cidr")
        if not cidr:
            raise ClusterError(
                f"EKS does not say from which range cluster {self._cluster.name} gives its services their addresses. "
                "Fix: set proxy.resolver to the cluster's DNS address"
            )
        return dns_address(cidr)


def _presigning(client: "STSClient") -> "STSClient":
    """`client`, made to sign the cluster's name into presigned requests, taking it as the parameter ClusterName."""

    def take(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        if "ClusterName" in params:
            context[_CLUSTER_HEADER] = params.pop("ClusterName")

    def sign(request: Any, **_: object) -> None:  # noqa: ANN401 - botocore's AWSRequest is untyped
        if _CLUSTER_HEADER in request.context:
            request.headers[_CLUSTER_HEADER] = request.context[_CLUSTER_HEADER]

    client.meta.events.register("provide-client-params.sts.GetCallerIdentity", take)
    client.meta.events.register("before-sign.sts.GetCallerIdentity", sign)
    return client
