"""What clients call the repositories that the log has under their names in ECR. Pure."""

from collections.abc import Sequence

from cli.usage.tally import PublicNames
from lambda_fn.settings import Registry
from lambda_fn.settings.routing import Routing


def public_names(registries: Sequence[Registry]) -> PublicNames:
    """All public names of each repository; ECR's name of one that these registries do not serve."""
    routing = Routing(registries)
    places = {each.host: (of.account, of.region) for of in registries for each in (of, *of.replicas)}

    def names_of(host: str, ecr_name: str) -> tuple[str, ...]:
        shown = routing.shown(*places[host], ecr_name) if host in places else []
        return tuple(each.public_name for each in shown) or (ecr_name,)

    return names_of
