"""Hints at synthesis: settings that are valid and may still be a mistake."""

import json
from collections.abc import Mapping
from importlib.resources import files

from k8s_manifests.exposures import Exposure, exposure_of
from lambda_fn.settings.alarms import Alarms
from lambda_fn.settings.models import Settings


def synth_hints(settings: Settings) -> tuple[str, ...]:
    """Each hint has the setting with its value, the cause and the fix."""
    proxy, exposure = settings.proxy, exposure_of(settings)
    regions = {f"registries[{number}].region": registry.region for number, registry in enumerate(settings.registries)}
    of_replicas = {
        f"registries[{number}].replicas[0].region": registry.replica.region
        for number, registry in enumerate(settings.registries)
        if registry.replica
    }
    return (
        *_unknown_regions({"cluster.region": settings.cluster.region} | regions | of_replicas),
        *(() if settings.cluster.nat else _replicas_beyond_endpoints(of_replicas, settings.cluster.region)),
        *_movable_tag(proxy.image),
        *_unknown_clients(exposure, hides_clients=proxy.exposure.hides_clients(manifests=settings.manifests)),
        *_zones_without_pods(exposure.zones, proxy.replicas),
        *_no_priority(proxy.scheduling.priority_class),
        *_silent_alarms(settings.alarms),
    )


def _unknown_regions(regions: Mapping[str, str]) -> list[str]:
    """Hints and not errors: botocore may be older than a region."""
    known = _known_regions()
    return [
        f"{key} = {region}: botocore does not know this region. Fix: correct it, unless AWS opened it recently"
        for key, region in regions.items()
        if region not in known
    ]


def _known_regions() -> frozenset[str]:
    # Only the file: importing botocore for it takes a tenth of a second.
    partitions = json.loads(files("botocore").joinpath("data", "partitions.json").read_text("utf-8"))["partitions"]
    return frozenset(region for partition in partitions for region in partition["regions"])


def _replicas_beyond_endpoints(regions: Mapping[str, str], region: str) -> list[str]:
    """A hint and not an error: a peered VPC may have endpoints there, and the registry itself serves without any."""
    return [
        f"{key} = {of}: cluster.nat is false, and VPC endpoints in {region} lead to no other region, so pods may not "
        f"reach this replica. Fix: give the VPC a route to ECR and S3 in {of}, such as NAT or a peered VPC with "
        "endpoints there"
        for key, of in regions.items()
        if of != region
    ]


def _movable_tag(image: str) -> tuple[str, ...]:
    if "@sha256:" in image:
        return ()
    reason = "a tag can be moved to another image, which would then run in front of your registry"
    return (
        f"proxy.image = {image}: {reason}. Fix: add its digest (@sha256:...), preferably of a copy in your own ECR",
    )


def _unknown_clients(exposure: Exposure, *, hides_clients: bool) -> tuple[str, ...]:
    if not hides_clients:
        return ()
    hint = (
        f"proxy.exposure.{exposure.clients_setting} is not set: nginx sees the addresses of what stands before it and "
        "not those of the clients, so the access log names no client and no limit by client applies. Fix: "
        f"{exposure.clients_fix}"
    )
    return (hint,)


def _zones_without_pods(zones: int, replicas: int) -> tuple[str, ...]:
    if replicas >= zones:
        return ()
    hint = (
        f"proxy.replicas = {replicas}: proxy.exposure.subnets names {zones} zones, so one has no pod, and its clients "
        f"pull from another zone, at the cost of traffic between zones. Fix: set proxy.replicas to {zones} or more"
    )
    return (hint,)


def _no_priority(priority_class: str | None) -> tuple[str, ...]:
    if priority_class:
        return ()
    hint = (
        "proxy.scheduling.priority_class is not set: where nodes are full, pods of a higher priority replace the proxy "
        "pods, on which the pulls of every node depend. Fix: set it to a PriorityClass of the cluster, such as "
        "system-cluster-critical"
    )
    return (hint,)


def _silent_alarms(alarms: Alarms) -> tuple[str, ...]:
    if alarms.topic_arn or alarms.emails:
        return ()
    hint = (
        "[alarms] has neither topic_arn nor emails: alarms are only seen on the dashboard, also before the token "
        "expires. Fix: set alarms.topic_arn to an SNS topic, or alarms.emails"
    )
    return (hint,)
