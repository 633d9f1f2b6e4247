"""The Deployment: how many proxy pods, where they run, and how one replaces another."""

from lightkube.models.apps_v1 import DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment
from lightkube.models.core_v1 import (
    LocalObjectReference,
    PodSecurityContext,
    PodSpec,
    PodTemplateSpec,
    SeccompProfile,
    Toleration,
    TopologySpreadConstraint,
    Volume,
)
from lightkube.models.meta_v1 import LabelSelector, ObjectMeta
from lightkube.resources.apps_v1 import Deployment

from k8s_manifests.configuration import scripts_digest
from k8s_manifests.container import check_container, nginx_container
from k8s_manifests.exposures import Exposure
from k8s_manifests.objects import Place
from k8s_manifests.rollout import MIN_READY_SECONDS, surge
from k8s_manifests.volumes import mounts, safe_to_evict
from lambda_fn.contract.objects import SCRIPTS_SHA256
from lambda_fn.contract.paths import METRICS_PATH, METRICS_PORT
from lambda_fn.settings import scheduling
from lambda_fn.settings.proxy import Proxy

NGINX_USER = 101
"""User and group of nginx in the official image."""

_MARGIN_SECONDS = 20
_SCRAPED = {
    "prometheus.io/scrape": "true",
    "prometheus.io/port": str(METRICS_PORT),
    "prometheus.io/path": METRICS_PATH,
}
"""By convention of https://github.com/prometheus-community/helm-charts/tree/main/charts/prometheus ."""


def deployment(
    place: Place,
    *,
    proxy: Proxy,
    volumes: list[Volume],
    pull_secret: str,
    exposure: Exposure,
    progress_deadline_seconds: int,
) -> Deployment:
    """The proxy.

    Only the Lambda sets the pod-template annotations `ecr-frontdoor/config-sha256`, `ecr-frontdoor/restarted-at` and
    `ecr-frontdoor/cache-purged-at`. They are not here, so applying the chart again neither removes them nor restarts
    the pods.
    """
    max_surge = surge(proxy.replicas, registration_seconds=exposure.registration_seconds)
    return Deployment(
        metadata=place.metadata(),
        spec=DeploymentSpec(
            replicas=proxy.replicas,
            selector=LabelSelector(matchLabels=place.selector_labels),
            # A new pod must be ready before an old one stops: a bad configuration stops at the first new pod.
            strategy=DeploymentStrategy(
                type="RollingUpdate",
                rollingUpdate=RollingUpdateDeployment(maxUnavailable=0, maxSurge=max_surge),
            ),
            minReadySeconds=MIN_READY_SECONDS,
            progressDeadlineSeconds=progress_deadline_seconds,
            revisionHistoryLimit=3,
            template=_template(place, proxy, volumes, pull_secret, endpoint_seconds=exposure.endpoint_seconds),
        ),
    )


def _template(
    place: Place, proxy: Proxy, volumes: list[Volume], pull_secret: str, *, endpoint_seconds: int
) -> PodTemplateSpec:
    spec = _pod(place, proxy, volumes, pull_secret, endpoint_seconds=endpoint_seconds)
    annotations = {**place.annotations, SCRIPTS_SHA256: scripts_digest()} | safe_to_evict(volumes)
    scraped = _SCRAPED if proxy.monitoring_namespace and proxy.scrape == "annotations" else {}
    return PodTemplateSpec(metadata=ObjectMeta(labels=place.labels, annotations=annotations | scraped), spec=spec)


def _pod(place: Place, proxy: Proxy, volumes: list[Volume], pull_secret: str, *, endpoint_seconds: int) -> PodSpec:
    return PodSpec(
        nodeSelector=proxy.scheduling.all_node_labels,
        tolerations=[_toleration(one) for one in proxy.scheduling.tolerations] or None,
        priorityClassName=proxy.scheduling.priority_class,
        automountServiceAccountToken=False,
        enableServiceLinks=False,
        imagePullSecrets=[LocalObjectReference(name=pull_secret)],
        securityContext=PodSecurityContext(
            runAsNonRoot=True,
            runAsUser=NGINX_USER,
            runAsGroup=NGINX_USER,
            fsGroup=NGINX_USER,  # lets nginx read the Secret volume, whose files belong to root
            seccompProfile=SeccompProfile(type="RuntimeDefault"),
        ),
        topologySpreadConstraints=[
            _spread_over(place, "topology.kubernetes.io/zone"),
            _spread_over(place, "kubernetes.io/hostname"),
        ],
        initContainers=[check_container(proxy, mounts(volumes))],
        containers=[nginx_container(proxy, mounts(volumes), endpoint_seconds=endpoint_seconds)],
        terminationGracePeriodSeconds=endpoint_seconds + proxy.drain_seconds + _MARGIN_SECONDS,
        volumes=volumes,
    )


def _toleration(of: scheduling.Toleration) -> Toleration:
    return Toleration(
        key=of.key,
        operator=of.operator,
        value=of.value or None,
        effect=of.effect,
        tolerationSeconds=of.toleration_seconds,
    )


def _spread_over(place: Place, topology: str) -> TopologySpreadConstraint:
    """Spread the pods of each revision; an uneven spread is better than a pod that is not scheduled."""
    return TopologySpreadConstraint(
        topologyKey=topology,
        maxSkew=1,
        whenUnsatisfiable="ScheduleAnyway",
        labelSelector=LabelSelector(matchLabels=place.selector_labels),
        matchLabelKeys=["pod-template-hash"],
    )
