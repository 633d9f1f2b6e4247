"""One ECR registry with its replica, as an operator sets them. Pure."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from lambda_fn.contract.registries import ecr_hosts, partition_of
from lambda_fn.contract.routes import Route, folder_of, routes
from lambda_fn.settings import mirrors
from lambda_fn.settings.fields import (
    Account,
    BeginOfNames,
    CachePrefix,
    EcrHost,
    PathOfNames,
    PublicRegistryName,
    RedirectHost,
    Region,
    RepositoryName,
    RepositoryPattern,
    UpstreamCredential,
)
from lambda_fn.settings.mirrors import Mirror
from lambda_fn.settings.table import NO_OTHER_KEYS, Table

_MOST_FOLDERS = 32
"""Each one makes an expression of the nginx configuration longer."""
_LONGEST_LIST = 400


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
    def place(self) -> str:
        """What messages call it: `123456789012 in ap-southeast-2`."""
        return f"{self.account} in {self.region}"

    @property
    def host(self) -> str:
        """Its host name, as the nginx configuration has it."""
        return self.endpoint or ecr_hosts(self.account, self.region)[0]

    @model_validator(mode="after")
    def _endpoint_is_of_this_registry(self) -> Self:
        allowed = ecr_hosts(self.account, self.region)
        if self.endpoint and self.endpoint not in allowed:
            raise ValueError(
                f"endpoint {self.endpoint} is not a host name of the registry of {self.place}: must "
                f"be one of {', '.join(allowed)}"
            )
        return self


class Replica(EcrRegistry):
    """Where ECR's replication puts the same repositories: pulls go on from here while the registry itself fails."""


class Registry(EcrRegistry):
    """One private ECR registry behind the domain."""

    repositories: Annotated[tuple[RepositoryPattern, ...], Field(strict=False)] = ("*",)
    """The repositories that clients may pull, by the names that clients write. `*` stands for any characters, `/`
    included, as in IAM, where the same patterns limit the Lambda's role. Where patterns of two tables allow a name, one
    of them must be within the other, and the narrower one counts.
    """
    strip: PathOfNames = ""
    """What these names begin with and ECR's names do not, like `base/`. Every pattern has to begin with it."""
    prefix: BeginOfNames = ""
    """What ECR's names begin with and the names of clients do not, like `platform/images/`."""
    renames: dict[RepositoryName, RepositoryName] = Field(default={}, json_schema_extra=NO_OTHER_KEYS)
    """Repositories with other names: the name that clients write, and the one in ECR. `strip` and `prefix` do not apply
    to them. With it, set `repositories`, too: `[]` for these names alone.
    """
    replicas: Annotated[tuple[Replica, ...], Field(strict=False, json_schema_extra={"maxItems": 1})] = ()
    """Where ECR's replication puts the same repositories, in another region: at most one. Pulls go on from there while
    ECR or S3 of the registry's own region fails.
    """
    tags: Literal["any", "primary"] = "any"
    """Whether a tag may come from the replica: `any`, or `primary` (while the registry itself fails, an uncached tag
    cannot be pulled, only digests). Replication takes minutes, so a tag that moved in them is an earlier image there.
    """

    pull_through: bool = False
    """Whether ECR fills these repositories from a public registry, by a pull-through cache rule: then the first pull of
    a tag imports the image, and the Lambda's role may create these repositories, and no others. Not in China and
    GovCloud, where ECR has no such rules, nor with a FIPS `endpoint`, which imports nothing.
    """
    upstream: PublicRegistryName | None = None
    """The public registry that the rule imports from, as clients write it: `docker.io`, `quay.io`, `ghcr.io`,
    `registry.k8s.io`, `public.ecr.aws`, `registry.gitlab.com`, `cgr.dev` or `NAME.azurecr.io`. With it, nodes can use
    the domain as its mirror (`frontdoor manifests --hosts-toml`), except for `renames`.
    """
    cache_prefix: CachePrefix | None = None
    """The prefix of the pull-through cache rule in ECR. By default the first part of the names in ECR."""
    cache_rule: bool = False
    """Whether the stack creates the rule, and a template for the repositories: only for a registry in the account and
    the region of the stack. Removing it deletes neither repositories nor images. The template has no lifecycle policy.
    No deployment changes a rule: to change `upstream` or `upstream_credential`, remove `cache_rule` and
    `upstream_credential`, deploy, set them again, and deploy.
    """
    upstream_credential: UpstreamCredential | None = None
    """The ARN of the secret in Secrets Manager from which ECR takes the login at the upstream, for `cache_rule`. The
    name of the secret begins with `ecr-pullthroughcache/`. The front door never reads it. A new login goes into the
    same secret: a new ARN needs a new rule.
    """
    redirect_hosts: Annotated[tuple[RedirectHost, ...], Field(strict=False)] = ()
    """The hosts to which ECR may redirect blobs that it is still importing, beside its layer buckets; `*` stands for
    characters of one label. By default those to which the upstream sends clients in AWS.
    """

    @property
    def mirror(self) -> Mirror | None:
        """What `pull_through` means for it; None without it.

        Raises:
            ValueError: A pattern allows names that the cache rule does not fill.
        """
        if not self.pull_through:
            return None
        return mirrors.mirror(
            names={
                ("renames" if route.pattern in self.renames else "repositories", route.pattern): route.ecr_pattern
                for route in self.routes
            },
            cache_prefix=self.cache_prefix,
            upstream=self.upstream,
            redirect_hosts=self.redirect_hosts,
            strip=self.strip,
            prefix=self.prefix,
        )

    @property
    def replica(self) -> Replica | None:
        """The replica, if it has one."""
        return next(iter(self.replicas), None)

    @property
    def routes(self) -> tuple[Route, ...]:
        """How the names of clients become names in ECR."""
        return routes(self.repositories, self.renames, strip=self.strip, prefix=self.prefix)

    @model_validator(mode="before")
    @classmethod
    def _renames_open_nothing_else(cls, given: Any) -> Any:  # noqa: ANN401 - anything that TOML can be
        if isinstance(given, dict) and "renames" in given and "repositories" not in given:
            raise ValueError(
                'renames is set and repositories is not. Fix: set repositories = [] for these names alone, or ["*"] to '
                "open all of the registry beside them"
            )
        return given

    @model_validator(mode="after")
    def _routes_are_names_of_ecr(self) -> Self:
        if mistake := next(_mistakes(self), None):
            raise ValueError(mistake)
        return self

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
    def _mirror_fits_together(self) -> Self:
        keys = {name for name in self.model_fields_set if getattr(self, name)}
        mistakes = mirrors.conflicts(
            keys,
            region=self.region,
            host=self.host,
            upstream=self.upstream,
            cache_rule=self.cache_rule,
            credential=self.upstream_credential,
        )
        for mistake in mistakes:
            raise ValueError(mistake)
        _ = self.mirror
        return self

    @model_validator(mode="after")
    def _replica_survives_the_registry(self) -> Self:
        if not self.replica:
            if self.tags == "primary":
                raise ValueError('tags = "primary" has no effect without replicas. Fix: remove tags, or add a replica')
            return self
        found = f"replicas[0] is {self.replica.place}"
        fix = f"Fix: name the region to which ECR replicates the repositories of {self.place}"
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


def replicas_as_registries(registries: Iterable[Registry]) -> list[Registry]:
    """The replicas, each with the routes of its registry: what may be pulled from them. A replica imports nothing."""
    return [
        registry.model_copy(update={**dict(replica), "replicas": (), "pull_through": False})
        for registry in registries
        for replica in registry.replicas
    ]


def by_place(registries: Iterable[Registry]) -> dict[tuple[str, str], list[Registry]]:
    """The tables of each registry of ECR, by its account and region."""
    found: dict[tuple[str, str], list[Registry]] = {}
    for registry in registries:
        found.setdefault((registry.account, registry.region), []).append(registry)
    return found


def patterns_text(registries: Iterable[Registry]) -> str:
    """What clients may pull, for a message: at most about 400 characters."""
    text = ", ".join(route.pattern for registry in registries for route in registry.routes)
    return text if len(text) <= _LONGEST_LIST else f"{text[:_LONGEST_LIST].rpartition(',')[0]} and others"


def _mistakes(registry: Registry) -> Iterator[str]:
    if not registry.routes:
        yield "repositories = []: must have at least one entry, since renames has none"
    for pattern in registry.repositories:
        if not pattern.startswith(registry.strip):
            yield (
                f"repositories has {pattern!r}, which does not begin with strip = {registry.strip!r}. Fix: write the "
                "names of clients, with strip, or give those without it a [[registries]] table of their own"
            )
        if pattern in registry.renames:
            yield f"repositories and renames both have {pattern!r}. Fix: remove it from repositories"
        if folder_of(pattern).count("/") > _MOST_FOLDERS:
            yield f"repositories has {pattern!r}: at most {_MOST_FOLDERS} slashes are allowed before the first *"
    for route in registry.routes:
        if route.is_exact and route.differs and route.ecr_name(route.pattern) is None:
            yield (
                f"{route.pattern!r} would be {route.ecr_pattern!r} in ECR, whose names have 2 to 256 characters. Fix: "
                "change strip or prefix, or remove it"
            )
