"""The volumes of a proxy pod: what it reads of the cluster, and where it may write."""

from collections.abc import Iterable

from lightkube.models.core_v1 import (
    ConfigMapProjection,
    ConfigMapVolumeSource,
    EmptyDirVolumeSource,
    EphemeralVolumeSource,
    KeyToPath,
    PersistentVolumeClaimSpec,
    PersistentVolumeClaimTemplate,
    ProjectedVolumeSource,
    SecretVolumeSource,
    Volume,
    VolumeMount,
    VolumeProjection,
    VolumeResourceRequirements,
)
from lightkube.models.meta_v1 import ObjectMeta

from lambda_fn.contract.hints import GONE
from lambda_fn.contract.objects import catalogue_config_maps, page_config_map
from lambda_fn.contract.paths import CACHE, CATALOGUE, CONFIG, CREDENTIAL, HINTS, PAGE, RUN, SCRIPTS, TLS
from lambda_fn.settings.cache import Cache
from lambda_fn.settings.names import Names
from lambda_fn.settings.page import Page

_GROUP_MAY_READ = 0o440
_SAFE_TO_EVICT = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"
_READ = {
    "config": CONFIG,
    "scripts": SCRIPTS,
    "credential": CREDENTIAL,
    "tls": TLS,
    "hints": HINTS,
    "page": PAGE,
    "catalogue": CATALOGUE,
}
_WRITTEN = {"run": RUN, "cache": CACHE}


def volumes(
    names: Names, cache: Cache, page: Page, *, tls_secret: str | None, hints: str | None, claim: ObjectMeta
) -> list[Volume]:
    """The pod's volumes. A pod waits for a missing object, and starts when it exists; page and hints are optional.

    Args:
        names: What the objects are called.
        cache: Where the cache is, and how large.
        page: Which parts the page has.
        tls_secret: The TLS Secret that nginx serves; None where it serves none.
        hints: The ConfigMap of `lambda_fn.contract.hints`; None where nothing writes it.
        claim: The labels and annotations of a volume that is created with the pod.
    """
    found = [
        Volume(name="config", configMap=ConfigMapVolumeSource(name=names.config_map)),
        Volume(name="scripts", configMap=ConfigMapVolumeSource(name=names.scripts_config_map)),
        Volume(name="credential", secret=_secret(names.secret)),
        Volume(name="run", emptyDir=EmptyDirVolumeSource(sizeLimit="64Mi")),
        _cache(cache, claim),
    ]
    if tls_secret:
        found.append(Volume(name="tls", secret=_secret(tls_secret)))
    if hints:
        only_gone = [KeyToPath(key=GONE, path=GONE)]
        found.append(Volume(name="hints", configMap=ConfigMapVolumeSource(name=hints, items=only_gone, optional=True)))
    if page.enabled:
        source = ConfigMapVolumeSource(name=page_config_map(names.workload), optional=True)
        found.append(Volume(name="page", configMap=source))
    if page.catalogue:
        found.append(Volume(name="catalogue", projected=ProjectedVolumeSource(sources=_catalogue(names.workload))))
    return found


def safe_to_evict(found: Iterable[Volume]) -> dict[str, str]:
    """The annotation by which cluster-autoscaler removes a node although pods have files on it, which it else keeps.

    https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md
    """
    return {_SAFE_TO_EVICT: ",".join(volume.name for volume in found if volume.emptyDir)}


def mounts(found: Iterable[Volume]) -> list[VolumeMount]:
    """Their mounts in both containers. Never a subPath: that does not follow a renewed Secret."""
    return [
        VolumeMount(name=volume.name, mountPath=_WRITTEN[volume.name])
        if volume.name in _WRITTEN
        else VolumeMount(name=volume.name, mountPath=_READ[volume.name], readOnly=True)
        for volume in found
    ]


def _catalogue(workload: str) -> list[VolumeProjection]:
    """Each part of the catalogue that exists, in one folder."""
    return [
        VolumeProjection(configMap=ConfigMapProjection(name=name, optional=True))
        for name in catalogue_config_maps(workload).values()
    ]


def _cache(cache: Cache, metadata: ObjectMeta) -> Volume:
    """On the node's disk, or a volume that is created with the pod and deleted with it."""
    size = f"{cache.volume_gib}Gi"
    if cache.storage_class is None:
        return Volume(name="cache", emptyDir=EmptyDirVolumeSource(sizeLimit=size))
    claim = PersistentVolumeClaimSpec(
        accessModes=["ReadWriteOnce"],
        storageClassName=cache.storage_class,
        resources=VolumeResourceRequirements(requests={"storage": size}),
    )
    template = PersistentVolumeClaimTemplate(metadata=metadata, spec=claim)
    return Volume(name="cache", ephemeral=EphemeralVolumeSource(volumeClaimTemplate=template))


def _secret(name: str) -> SecretVolumeSource:
    return SecretVolumeSource(secretName=name, defaultMode=_GROUP_MAY_READ)
