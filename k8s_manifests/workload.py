"""The Deployment: how many proxy pods, where they run, and how one replaces another."""

from lightkube.models.apps_v1 import DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment
from lightkube.models.core_v1 import (
    LocalObjectReference,
    PodSecurityContext,
    PodSpec,
    PodTemplateSpec,
    SeccompProfile,
    TopologySpreadConstraint,
)
from lightkube.models.meta_v1 import LabelSelector, ObjectMeta
from lightkube.resources.apps_v1 import Deployment

from k8s_manifests.configuration import scripts_digest
from k8s_manifests.container import check_container, nginx_container
from k8s_manifests.load_balancer import DEREGISTRATION_SECONDS
from k8s_manifests.objects import labels, metadata, selector_labels
from k8s_manifests.rollout import MIN_READY_SECONDS, surge
from k8s_manifests.volumes import volumes
from lambda_fn.settings import NlbExposure, Settings

NGINX_USER = 101
"""User and group of nginx in the official image."""

ENDPOINT_SECONDS = 10
"""How long a stopping pod keeps accepting: until whatever sends it clients has noticed that it is leaving."""

_MARGIN_SECONDS = 20


def deployment(settings: Settings) -> Deployment:
    """The proxy.

    The Lambda alone sets the pod-template annotations `ecr-frontdoor/config-sha256`, `ecr-frontdoor/restarted-at` and
    `ecr-frontdoor/cache-purged-at`; they are not here, so that applying the chart again neither removes them nor rolls
    the pods.
    """
    return Deployment(
        metadata=metadata(settings, settings.names.workload),
        spec=DeploymentSpec(
            replicas=settings.proxy.replicas,
            selector=LabelSelector(matchLabels=selector_labels(settings)),
            # A new pod has to be ready before an old one leaves: a bad configuration stops at the first new pod.
            strategy=DeploymentStrategy(
                type="RollingUpdate",
                rollingUpdate=RollingUpdateDeployment(maxUnavailable=0, maxSurge=surge(settings)),
            ),
            minReadySeconds=MIN_READY_SECONDS,
            progressDeadlineSeconds=settings.refresh.rollout_timeout_seconds,
            revisionHistoryLimit=3,
            template=PodTemplateSpec(
                metadata=ObjectMeta(
                    labels=labels(settings), annotations={"ecr-frontdoor/scripts-sha256": scripts_digest()}
                ),
                spec=_pod(settings),
            ),
        ),
    )


def endpoint_seconds(settings: Settings) -> int:
    """How long a stopping pod keeps accepting: an NLB takes minutes to notice, all else seconds."""
    return DEREGISTRATION_SECONDS if isinstance(settings.proxy.exposure, NlbExposure) else ENDPOINT_SECONDS


def _pod(settings: Settings) -> PodSpec:
    accepting = endpoint_seconds(settings)
    return PodSpec(
        automountServiceAccountToken=False,
        enableServiceLinks=False,
        imagePullSecrets=[LocalObjectReference(name=settings.names.secret)],
        securityContext=PodSecurityContext(
            runAsNonRoot=True,
            runAsUser=NGINX_USER,
            runAsGroup=NGINX_USER,
            fsGroup=NGINX_USER,  # what lets nginx read the Secret volume, whose files belong to root
            seccompProfile=SeccompProfile(type="RuntimeDefault"),
        ),
        topologySpreadConstraints=[
            _spread_over(settings, "topology.kubernetes.io/zone"),
            _spread_over(settings, "kubernetes.io/hostname"),
        ],
        initContainers=[check_container(settings)],
        containers=[nginx_container(settings, endpoint_seconds=accepting)],
        terminationGracePeriodSeconds=accepting + settings.proxy.drain_seconds + _MARGIN_SECONDS,
        volumes=volumes(settings),
    )


def _spread_over(settings: Settings, topology: str) -> TopologySpreadConstraint:
    """Spread each revision for itself, and rather run unevenly than not at all."""
    return TopologySpreadConstraint(
        topologyKey=topology,
        maxSkew=1,
        whenUnsatisfiable="ScheduleAnyway",
        labelSelector=LabelSelector(matchLabels=selector_labels(settings)),
        matchLabelKeys=["pod-template-hash"],
    )
