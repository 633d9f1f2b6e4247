"""Whether the registries have repositories for the allow-lists."""

from collections.abc import Iterator

from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, ok, skipped, warning
from lambda_fn.contract.repository_pattern import RepositoryPattern
from lambda_fn.settings.registry import Registry


def run(context: CheckContext) -> Iterator[Finding]:
    """Each registry: the patterns that no repository fits. Those of another account cannot be listed."""
    own = context.client("sts").get_caller_identity()["Account"]
    for number, registry in enumerate(context.settings.registries):
        if registry.account != own:
            yield skipped(
                f"registries[{number}] is of account {registry.account}: the policies of its repositories have to "
                f"allow account {own} to pull"
            )
            continue
        yield from _in_own_account(context, number, registry)


def _in_own_account(context: CheckContext, number: int, registry: Registry) -> Iterator[Finding]:
    pages = context.client("ecr", region=registry.region).get_paginator("describe_repositories").paginate()
    names = [one["repositoryName"] for page in pages for one in page["repositories"]]
    unused = [text for text in registry.repositories if not any(map(RepositoryPattern(text).matches, names))]
    if unused:
        yield warning(
            f"registries[{number}].repositories: no repository in {registry.region} fits {', '.join(unused)}",
            "correct the pattern, or create the repository",
        )
    opened = sum(any(RepositoryPattern(text).matches(name) for text in registry.repositories) for name in names)
    yield ok(
        f"{opened} of {len(names)} repositories of {registry.account} in {registry.region} would be open to every "
        "client, without a login"
    )


CHECK = Check("registries", Category.AWS, run, needs=("aws",), runbook="docs/configuration.md")
