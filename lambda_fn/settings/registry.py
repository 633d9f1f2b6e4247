"""One ECR registry, as an operator sets it. Pure."""

from collections.abc import Iterable
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from lambda_fn.contract.registries import ecr_hosts
from lambda_fn.contract.repository_pattern import LONGEST_REGEX, any_of
from lambda_fn.contract.repository_pattern import RepositoryPattern as Pattern
from lambda_fn.settings.fields import Account, EcrHost, Region, RepositoryPattern
from lambda_fn.settings.table import Table


class Registry(Table):
    """One private ECR registry behind the domain."""

    account: Account
    """The AWS account of the ECR registry, as a string of 12 digits."""
    region: Region
    """The region of the ECR registry. The Lambda fetches one token for each region, for all accounts."""
    endpoint: EcrHost | None = None
    """The host name of the ECR registry, if it is not the default one: dual-stack or FIPS, where the region's partition
    has them.
    """
    repositories: Annotated[tuple[RepositoryPattern, ...], Field(strict=False, min_length=1)] = ("*",)
    """The repositories that clients may pull. `*` stands for any characters, `/` included, as in IAM, where the same
    patterns limit the Lambda's role. With several registries, the first one with a matching pattern serves it. A list
    has at most 4,092 characters, in which each `.` and `*` counts twice.
    """

    @property
    def host(self) -> str:
        """Its host name, as the nginx configuration has it."""
        return self.endpoint or ecr_hosts(self.account, self.region)[0]

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

    @model_validator(mode="after")
    def _endpoint_is_of_this_registry(self) -> Self:
        allowed = ecr_hosts(self.account, self.region)
        if self.endpoint and self.endpoint not in allowed:
            raise ValueError(
                f"endpoint {self.endpoint} is not a host name of the registry of {self.account} in {self.region}: must "
                f"be one of {', '.join(allowed)}"
            )
        return self


def serving(registries: Iterable[Registry], repository: str) -> Registry | None:
    """The registry from which clients get a repository: the first that allows it; None where none does."""
    return next((each for each in registries if any(Pattern(p).matches(repository) for p in each.repositories)), None)
