"""Whether the registries have repositories for the allow-lists."""

from collections.abc import Iterator, Sequence

from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, ok, skipped, warning
from lambda_fn.contract.repository_pattern import RepositoryPattern
from lambda_fn.contract.routes import Route
from lambda_fn.settings.registry import by_place
from lambda_fn.settings.routing import Routing


def run(context: CheckContext) -> Iterator[Finding]:
    """Each registry: the patterns that no repository fits. Those of another account cannot be listed."""
    own = context.client("sts").get_caller_identity()["Account"]
    routing = Routing(context.settings.registries)
    for (account, region), tables in by_place(routing.registries).items():
        if account != own:
            yield skipped(
                f"registry {account} in {region}: the policies of its repositories have to allow account {own} to pull"
            )
            continue
        pages = context.client("ecr", region=region).get_paginator("describe_repositories").paginate()
        names = [one["repositoryName"] for page in pages for one in page["repositories"]]
        # A mirror has its repositories only after their first pull.
        of_others = [route for registry in tables if not registry.pull_through for route in registry.routes]
        yield from _unused(of_others, region, names)
        opened = sum(bool(routing.shown(account, region, name)) for name in names)
        yield ok(
            f"{opened} of {len(names)} repositories of {account} in {region} would be open to every client, without a "
            "login"
        )


def _unused(routes: Sequence[Route], region: str, names: Sequence[str]) -> Iterator[Finding]:
    unused = [route for route in routes if not any(map(RepositoryPattern(route.ecr_pattern).matches, names))]
    if unused:
        texts = (
            f"{route.pattern} ({route.ecr_pattern} in ECR)" if route.differs else route.pattern for route in unused
        )
        yield warning(
            f"registries[].repositories: no repository in {region} fits {', '.join(texts)}",
            "correct the pattern, or create the repository",
        )


CHECK = Check("registries", Category.AWS, run, needs=("aws",), runbook="docs/configuration.md")
