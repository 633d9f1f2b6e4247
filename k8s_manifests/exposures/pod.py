"""`kind = "pod"`: nginx terminates TLS, behind the Service on port 443."""

from k8s_manifests.exposures.exposure import Exposure
from lambda_fn.settings.exposure import PodExposure


def exposure(table: PodExposure, *, sources: tuple[str, ...]) -> Exposure:
    """The Service, with the TLS Secret in the pods."""
    return Exposure(kind=table.kind, sources=sources, tls_secret=table.pod_tls_secret)
