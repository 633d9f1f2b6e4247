"""What clients call the repositories that the log has under their names in ECR. Pure."""

from collections.abc import Sequence

from cli.usage.tally import PublicNames
from lambda_fn.settings import Registry
from lambda_fn.settings.routing import Routing


def public_names(registries: Sequence[Registry]) -> PublicNames:
    """All public names of each repository; ECR's name of one that these registries do not serve."""
    routing = Routing(registries)
    places: dict[str, list[tuple[str, str]]] = {}
    # A registry can be the replica of another one, too: its own routes count first.
    primaries = [(registry, registry) for registry in registries]
    replicas = [(replica, registry) for registry in registries for replica in registry.replicas]
    for each, of in (*primaries, *replicas):
        places.setdefault(each.host, []).append((of.account, of.region))

    def names_of(host: str, ecr_name: str) -> tuple[str, ...]:
        for place in places.get(host, ()):
            if shown := routing.shown(*place, ecr_name):
                return tuple(each.public_name for each in shown)
        return (ecr_name,)

    return names_of
