"""Reads what the settings file needs to know of the account. What may not be read is noted and left out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from cli.account import clients
from cli.account.cluster import ClusterFacts, cluster_of, names_of
from cli.account.network import Subnet, endpoints_of, subnets_of
from cli.account.zones import Zone, certificate_for, zones_of
from cli.doctor.aws_calls import LOG_IN, error_text
from lambda_fn.contract.errors import SettingsError

Found = TypeVar("Found")

OFFLINE_HINT = f"{LOG_IN}; --offline writes the file from the options alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vpc:
    """The cluster's network.

    Attributes:
        subnets: All of them, by zone.
        endpoints: The services of its VPC endpoints.
    """

    subnets: tuple[Subnet, ...] = ()
    endpoints: frozenset[str] = frozenset()


@dataclass(slots=True)
class Discovery:
    """An account and a region, as the operator may read them.

    Attributes:
        notes: What could not be read, and why; one line each.
    """

    aws: boto3.Session
    region: str
    timeout_seconds: float
    notes: list[str] = field(default_factory=list)

    def account(self) -> str:
        """The number of the operator's account.

        Raises:
            SettingsError: AWS does not accept the credentials.
        """
        try:
            return str(self._client("sts").get_caller_identity()["Account"])
        except (BotoCoreError, ClientError) as error:
            raise SettingsError(
                f"AWS does not accept your credentials: {error_text(error)}. Fix: {OFFLINE_HINT}"
            ) from error

    def clusters(self) -> tuple[str, ...]:
        """The names of the region's clusters."""
        return self._read("the clusters", lambda: names_of(self._client("eks")), ())

    def cluster(self, name: str) -> ClusterFacts:
        """One cluster."""
        described = self._read(
            f"cluster {name}", lambda: self._client("eks").describe_cluster(name=name)["cluster"], {"name": name}
        )
        return cluster_of(described)

    def vpc(self, vpc_id: str) -> Vpc:
        """The subnets and the endpoints of a VPC."""
        ec2 = self._client("ec2")
        return Vpc(
            subnets=self._read(f"the subnets and routes of {vpc_id}", lambda: subnets_of(ec2, vpc_id), ()),
            endpoints=self._read(
                f"the endpoints of {vpc_id}", lambda: endpoints_of(ec2, vpc_id, self.region), frozenset()
            ),
        )

    def repositories(self, account: str) -> tuple[str, ...]:
        """The names of an account's repositories in the region."""

        def names() -> tuple[str, ...]:
            pages = self._client("ecr").get_paginator("describe_repositories").paginate(registryId=account)
            return tuple(sorted(one["repositoryName"] for page in pages for one in page["repositories"]))

        return self._read(f"the repositories of {account}", names, ())

    def zones(self) -> tuple[Zone, ...]:
        """The hosted zones of the account."""
        return self._read("the zones of Route 53", lambda: zones_of(self._client("route53")), ())

    def certificate(self, domain: str) -> str | None:
        """The ARN of a certificate of ACM for the domain."""
        return self._read("the certificates of ACM", lambda: certificate_for(domain, self._client("acm")), None)

    def _client(self, service: str) -> Any:  # noqa: ANN401 - boto3's clients are made at run time
        return clients.client(self.aws, service, region=self.region, timeout_seconds=self.timeout_seconds)

    def _read(self, what: str, read: Callable[[], Found], otherwise: Found) -> Found:
        try:
            return read()
        except (BotoCoreError, ClientError) as error:
            self.notes.append(f"{what} could not be read: {error_text(error)}")
            return otherwise
