"""One ECR registry with its replica, as an operator sets them. Pure."""

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from lambda_fn.contract.registries import ecr_hosts, partition_of
from lambda_fn.contract.repository_pattern import LONGEST_REGEX, any_of
from lambda_fn.contract.repository_pattern import RepositoryPattern as Pattern
from lambda_fn.settings.fields import Account, EcrHost, Region, RepositoryPattern
from lambda_fn.settings.table import Table


class EcrRegistry(Table):
    """One private registry of ECR."""

    account: Account
    """The AWS account of the ECR registry, as a string of 12 digits."""
    region: Region
    """The region of the ECR registry. The Lambda fetches one token for each region, for all accounts."""
    endpoint: EcrHost | None = None
    """The host name of the ECR registry, if it is not the default one: dual-stack or FIPS, where the region's partition
    has them.
    """

    @property
    def host(self) -> str:
        """Its host name, as the nginx configuration has it."""
        return self.endpoint or ecr_hosts(self.account, self.region)[0]

    @model_validator(mode="after")
    def _endpoint_is_of_this_registry(self) -> Self:
        allowed = ecr_hosts(self.account, self.region)
        if self.endpoint and self.endpoint not in allowed:
            raise ValueError(
                f"endpoint {self.endpoint} is not a host name of the registry of {self.account} in {self.region}: must "
                f"be one of {', '.join(allowed)}"
            )
        return self


class Replica(EcrRegistry):
    """Where ECR's replication puts the same repositories: pulls go on from here while the registry itself fails."""


class Registry(EcrRegistry):
    """One private ECR registry behind the domain."""

    repositories: Annotated[tuple[RepositoryPattern, ...], Field(strict=False, min_length=1)] = ("*",)
    """The repositories that clients may pull. `*` stands for any characters, `/` included, as in IAM, where the same
    patterns limit the Lambda's role. With several registries, the first one with a matching pattern serves it. A list
    has at most 4,092 characters, in which each `.` and `*` counts twice.
    """
    replicas: Annotated[tuple[Replica, ...], Field(strict=False, json_schema_extra={"maxItems": 1})] = ()
    """Where ECR's replication puts the same repositories, in another region: at most one. Pulls go on from there while
    ECR or S3 of the registry's own region fails.
    """
    tags: Literal["any", "primary"] = "any"
    """Whether a tag may come from the replica: `any`, or `primary` (while the registry itself fails, an uncached tag
    cannot be pulled, only digests). Replication takes minutes, so a tag that moved in them is an earlier image there.
    """

    @property
    def replica(self) -> Replica | None:
        """The replica, if it has one."""
        return next(iter(self.replicas), None)

    @field_validator("repositories")
    @classmethod
    def _nginx_can_read_them(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        if (size := len(any_of(patterns))) > LONGEST_REGEX:
            raise ValueError(
                f"{len(patterns)} patterns are too long for nginx: as one regular expression, in which each . and * "
                f"counts twice, they have {size} characters, and nginx allows {LONGEST_REGEX}. Fix: use fewer, "
                "for example team/* for all repositories of a team"
            )
        return patterns

    @field_validator("replicas")
    @classmethod
    def _one_is_enough(cls, replicas: tuple[Replica, ...]) -> tuple[Replica, ...]:
        if len(replicas) > 1:
            raise ValueError(
                f"has {len(replicas)} entries, and at most one is allowed. Fix: keep the one that is to serve while "
                "the registry itself fails"
            )
        return replicas

    @model_validator(mode="after")
    def _replica_survives_the_registry(self) -> Self:
        if not self.replica:
            if self.tags == "primary":
                raise ValueError('tags = "primary" has no effect without replicas. Fix: remove tags, or add a replica')
            return self
        found = f"replicas[0] is {self.replica.account} in {self.replica.region}"
        fix = f"Fix: name the region to which ECR replicates the repositories of {self.account} in {self.region}"
        if (self.replica.account, self.replica.region) == (self.account, self.region):
            raise ValueError(f"{found}, which is the registry itself. {fix}")
        if self.replica.region == self.region:
            raise ValueError(f"{found}, the registry's own region: both would fail together. {fix}")
        partition, wanted = partition_of(self.replica.region).name, partition_of(self.region).name
        if partition != wanted:
            raise ValueError(
                f"{found}, in the partition {partition}: must be in {wanted}, as the registry: ECR replicates to no "
                f"other partition. {fix}"
            )
        return self


def with_replicas(registries: Iterable[Registry]) -> list[EcrRegistry]:
    """Every registry of ECR that the settings name: each one, followed by its replica."""
    return [each for registry in registries for each in (registry, *registry.replicas)]


def serving(registries: Iterable[Registry], repository: str) -> Registry | None:
    """The registry from which clients get a repository: the first that allows it; None where none does."""
    return next((each for each in registries if any(Pattern(p).matches(repository) for p in each.repositories)), None)
