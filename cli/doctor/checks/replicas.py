"""Whether each replica has what its registry has: ECR's replication rules, the repositories, and the newest images."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from cli.doctor.aws_calls import error_text
from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok, skipped, warning
from cli.shortened import shortened
from lambda_fn.settings.registry import EcrRegistry, Replica, by_place
from lambda_fn.settings.routing import Routing

_REPOSITORIES, _IMAGES, _PAGES = 10, 3, 2
"""What is compared at most: repositories of a registry, the newest images of each, found in pages of 1,000 images."""
_SHOWN = 5
LATE = timedelta(minutes=30)
"""Most images are replicated earlier: https://docs.aws.amazon.com/AmazonECR/latest/userguide/replication.html"""


def run(context: CheckContext) -> Iterator[Finding]:
    """Each registry with a replica, in the operator's own account, but for mirrors, which do not fail over."""
    tables = [*by_place(each for each in context.settings.registries if not each.pull_through).values()]
    with_replica = [(first, first.replica, of) for of in tables if (first := of[0]).replica]
    account = context.client("sts").get_caller_identity()["Account"] if with_replica else ""
    routing = Routing(context.settings.registries)
    for registry, replica, of in with_replica:
        if registry.account != account:
            yield skipped(f"registry {registry.place}: the replication of another account was not read")
            continue
        source, target = (context.client("ecr", region=each.region) for each in (registry, replica))
        pair = _Pair(registry, replica, source, target, context.now)
        yield from pair.rules([route.ecr_pattern for table in of for route in table.routes])
        yield from pair.images(partial(_fails_over, routing, registry))


@dataclass(frozen=True, slots=True)
class _Missing:
    """An image that the replica lacks; without a digest: its whole repository."""

    repository: str
    digest: str = ""
    pushed_at: datetime | None = None

    def __str__(self) -> str:
        return f"{self.repository}@{self.digest}" if self.digest else self.repository


class _Pair:
    """A registry and its replica. boto3's clients are made at run time, so they have no type."""

    def __init__(self, registry: EcrRegistry, replica: Replica, source: Any, target: Any, now: datetime) -> None:  # noqa: ANN401
        self._registry, self._replica, self._now = registry, replica, now
        self._source, self._target = source, target
        self._title = f"replica {replica.place}"
        self._backfill = (
            f"aws ecr start-replication-backfill --region {registry.region} "
            f"--destination region={replica.region},registryId={replica.account}"
        )

    def rules(self, patterns: Iterable[str]) -> Iterator[Finding]:
        """Whether ECR's rules replicate to the replica what these patterns of ECR's names allow.

        https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ReplicationConfiguration.html
        """
        try:
            rules = self._source.describe_registry()["replicationConfiguration"]["rules"]
        except (BotoCoreError, ClientError) as error:
            yield skipped(f"registry {self._registry.place}: its replication rules were not read: {error_text(error)}")
            return
        place = (self._replica.account, self._replica.region)
        filters = [
            [one["filter"] for one in rule.get("repositoryFilters", [])]
            for rule in rules
            if place in [(to["registryId"], to["region"]) for to in rule["destinations"]]
        ]
        if not filters:
            yield failed(
                f"registry {self._registry.place} has no replication rule whose destination is the {self._title}",
                "aws ecr put-replication-configuration, then for the images of before: " + self._backfill,
            )
        elif all(filters):
            prefixes = tuple(prefix for rule in filters for prefix in rule)
            beyond = [text for text in patterns if not text.startswith(prefixes)]
            if beyond:
                yield warning(
                    f"the replication rules of registry {self._registry.place} to the {self._title} replicate only "
                    f"{shortened(prefixes, _SHOWN)}: not all of {shortened(beyond, _SHOWN)}",
                    "add a filter to the rule, or narrow registries[].repositories",
                )

    def images(self, is_allowed: Callable[[str], bool]) -> Iterator[Finding]:
        """Whether the replica has the newest images of some of the repositories that the settings allow."""
        missing: list[_Missing] = []
        try:
            names = self._names(is_allowed)
            for name in names:
                missing += self._missing(name)
        except (BotoCoreError, ClientError) as error:
            yield skipped(f"{self._title}: its images were not compared: {error_text(error)}")
            return
        repositories = [each for each in missing if not each.digest]
        late = [each for each in missing if each.pushed_at and self._now - each.pushed_at > LATE]
        if repositories:
            yield warning(f"the {self._title} lacks {shortened(repositories, _SHOWN)}", self._backfill)
        if late:
            reason = self._status(late[0])
            yield warning(
                f"the {self._title} lacks images that were pushed more than {LATE.seconds // 60} minutes ago: "
                f"{shortened(late, _SHOWN)}; ECR says of the first: {reason}",
                self._backfill,
            )
        if not repositories and not late:
            on_the_way = f"; {len(missing)} new ones are on their way" if missing else ""
            yield ok(f"the {self._title} has the newest images of {len(names)} repositories{on_the_way}")

    def _names(self, is_allowed: Callable[[str], bool]) -> Sequence[str]:
        """Repositories to compare: first those that the replica does not list, then some of all, evenly spread."""
        names = [name for name in _repositories(self._source) if is_allowed(name)]
        try:
            listed = {*_repositories(self._target, registryId=self._replica.account)}
        except ClientError:  # of another account: its registry policy rarely allows a list
            listed = set(names)
        spread = names[:: max(1, -(-len(names) // _REPOSITORIES))]
        return [*dict.fromkeys([*(name for name in names if name not in listed), *spread])][:_REPOSITORIES]

    def _missing(self, name: str) -> list[_Missing]:
        """What the replica lacks of the newest images of a repository."""
        missing = []
        for image in self._newest(name):
            digest = str(image["imageDigest"])
            try:
                self._target.describe_images(
                    registryId=self._replica.account, repositoryName=name, imageIds=[{"imageDigest": digest}]
                )
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code == "RepositoryNotFoundException":
                    late = self._now - image["imagePushedAt"] > LATE
                    return [_Missing(name)] if late else [_Missing(name, digest, image["imagePushedAt"])]
                if code != "ImageNotFoundException":
                    raise
                missing.append(_Missing(name, digest, image["imagePushedAt"]))
        return missing

    def _newest(self, name: str) -> list[Mapping[str, Any]]:
        pages = self._source.get_paginator("describe_images").paginate(
            repositoryName=name, PaginationConfig={"MaxItems": _PAGES * 1000, "PageSize": 1000}
        )
        # ECR replicates no archived image.
        images = [one for page in pages for one in page["imageDetails"] if one.get("imageStatus") != "ARCHIVED"]
        return sorted(images, key=lambda image: image["imagePushedAt"], reverse=True)[:_IMAGES]

    def _status(self, missing: _Missing) -> str:
        """What ECR says of the replication of an image, such as `FAILED (AccessDenied)`."""
        try:
            answer = self._source.describe_image_replication_status(
                repositoryName=missing.repository, imageId={"imageDigest": missing.digest}
            )
        except (BotoCoreError, ClientError) as error:
            return error_text(error)
        place = (self._replica.account, self._replica.region)
        for one in answer.get("replicationStatuses", []):
            if (one["registryId"], one["region"]) == place:
                return f"{one['status']} ({one['failureCode']})" if one.get("failureCode") else str(one["status"])
        return "no replication to there"


def _fails_over(routing: Routing, registry: EcrRegistry, ecr_name: str) -> bool:
    served = routing.shown(registry.account, registry.region, ecr_name)
    return any(not each.registry.pull_through for each in served)


def _repositories(client: Any, **parameters: str) -> Iterator[str]:  # noqa: ANN401 - as above
    pages = client.get_paginator("describe_repositories").paginate(**parameters, PaginationConfig={"PageSize": 1000})
    for page in pages:
        yield from (str(repository["repositoryName"]) for repository in page["repositories"])


CHECK = Check("replicas", Category.AWS, run, needs=("aws",), runbook="docs/operations.md#when-a-region-fails")
