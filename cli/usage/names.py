"""What clients call the repositories that the log has under their names in ECR. Pure."""

from collections.abc import Sequence

from cli.usage.tally import PublicName
from lambda_fn.settings import Registry
from lambda_fn.settings.routing import Routing


def public_names(registries: Sequence[Registry]) -> PublicName:
    """The first public name of each repository; ECR's name of one that these registries do not serve."""
    routing = Routing(registries)
    places = {each.host: (of.account, of.region) for of in registries for each in (of, *of.replicas)}

    def public_name(host: str, ecr_name: str) -> str:
        shown = routing.shown(*places[host], ecr_name) if host in places else []
        return shown[0].public_name if shown else ecr_name

    return public_name
