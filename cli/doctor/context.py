"""What every check may use: the settings, the operator's access to AWS and to the cluster, and the time-outs."""

import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import boto3
import httpx2

from cli.account import clients
from cli.doctor.kubernetes import Kubernetes, new_client
from cli.doctor.kubernetes_errors import for_an_operator
from cli.doctor.stack_resources import StackResources, list_resources
from lambda_fn.edges import tls
from lambda_fn.edges.eks import Eks
from lambda_fn.edges.kubernetes_version import version_of
from lambda_fn.job.connection import Connection
from lambda_fn.settings.models import Settings
from stacks.environments import DEFAULT_CONFIG, Environment
from stacks.stack_name import stack_name


@dataclass(frozen=True, kw_only=True)
class CheckContext:
    """One deployed front door, and the operator who examines it. Close it afterwards.

    Attributes:
        settings: What it was deployed with.
        aws: The operator's AWS session.
        config: The path of the settings file, for the commands in hints.
        environment: Its name, where a folder of them is examined.
        image: `REPOSITORY:TAG` (or `@sha256:...`) to pull as a test; None for the canary's image, if any.
        timeout_seconds: How long a check waits for each answer.
    """

    settings: Settings
    aws: boto3.Session
    config: str = DEFAULT_CONFIG
    environment: str = ""
    image: str | None = None
    timeout_seconds: float = 10.0

    @property
    def now(self) -> datetime:
        """The current time in UTC."""
        return datetime.now(UTC)

    @property
    def connect_timeout_seconds(self) -> float:
        """How long a connection may take."""
        return min(5.0, self.timeout_seconds)

    @property
    def trusted(self) -> ssl.SSLContext:
        """Trusts the authorities that this machine trusts, and `canary.certificate_authority`."""
        canary = self.settings.canary
        return tls.client_context(canary.authority if canary else None)

    def client(self, service: str, *, region: str | None = None) -> Any:  # noqa: ANN401 - boto3's clients are made at run time
        """A client of an AWS service, in the session's region or another, with the time-outs of this examination."""
        return clients.client(self.aws, service, region=region, timeout_seconds=self.timeout_seconds)

    @cached_property
    def stack(self) -> StackResources:
        """The stack's resources.

        Raises:
            ClientError: CloudFormation refuses.
            BotoCoreError: CloudFormation cannot be reached.
        """
        return list_resources(self.client("cloudformation"), stack_name(self.settings))

    @cached_property
    def template(self) -> Mapping[str, Any]:
        """The stack's template, as it was deployed last.

        Raises:
            ClientError: CloudFormation refuses.
            BotoCoreError: CloudFormation cannot be reached.
        """
        answer = self.client("cloudformation").get_template(StackName=stack_name(self.settings))
        template: Mapping[str, Any] = answer["TemplateBody"]
        return template

    @cached_property
    def connection(self) -> Connection:
        """How the cluster is reached.

        Raises:
            NotDescribedError: EKS does not describe the cluster.
        """
        with for_an_operator(self.settings.cluster):
            return self._eks.connect()

    @property
    def kubernetes_version(self) -> str | None:
        """Such as `1.36`; None where neither EKS nor the cluster's API says it.

        Raises:
            NotDescribedError: EKS does not describe the cluster.
        """
        return version_of(self.connection, self._eks.bearer)

    @cached_property
    def kubernetes(self) -> Kubernetes:
        """The cluster's API.

        Raises:
            NotDescribedError: EKS does not describe the cluster, or the operator has no AWS credentials.
        """
        timeout = httpx2.Timeout(self.timeout_seconds, connect=self.connect_timeout_seconds)
        cluster = self.settings.cluster
        with for_an_operator(cluster):
            bearer = self._eks.bearer()
        client = new_client(self.connection, bearer, cluster.namespace, timeout)
        return Kubernetes(client, cluster=cluster.name)

    def close(self) -> None:
        """Close the connections to the cluster, if there are any."""
        if "kubernetes" in self.__dict__:  # where cached_property keeps its value
            self.kubernetes.close()

    @cached_property
    def _eks(self) -> Eks:
        return Eks(self.settings.cluster, self.settings.proxy.resolver, self.client("eks"), self.client("sts"))


def contexts_of(
    environments: Iterable[Environment],
    session_in: Callable[[str], boto3.Session],
    *,
    timeout_seconds: float,
    image: str | None = None,
) -> list[CheckContext]:
    """The context of each environment.

    Args:
        environments: What the command line names.
        session_in: The operator's session in a region.
        timeout_seconds: How long a check waits for each answer.
        image: To pull as a test.
    """
    return [
        CheckContext(
            settings=each.settings,
            aws=session_in(each.settings.cluster.region),
            config=str(each.path),
            environment=each.name,
            image=image,
            timeout_seconds=timeout_seconds,
        )
        for each in environments
    ]
