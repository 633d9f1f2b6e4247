"""`kind = "service"`: the Service on port 80; what terminates TLS before it is not part of ecr-frontdoor."""

from k8s_manifests.exposures.exposure import Exposure


def exposure(*, sources: tuple[str, ...]) -> Exposure:
    """The Service alone."""
    return Exposure(kind="service", sources=sources)
