"""The Kubernetes objects of ecr-frontdoor as cdk8s charts."""

from typing import Any

from cdk8s import App

from k8s_manifests.access_chart import AccessChart
from k8s_manifests.exposures import UNKNOWN, TargetGroups
from k8s_manifests.proxy_chart import ProxyChart, proxy_objects
from lambda_fn.settings.models import Settings

__all__ = ["AccessChart", "ProxyChart", "access_documents", "documents", "proxy_documents"]


def documents(settings: Settings, *, target_groups: TargetGroups = UNKNOWN) -> list[dict[str, Any]]:
    """Every object that the charts hold, as plain dicts in an order that can be applied: the Namespace comes first.

    The Secret and the rendered ConfigMap are not among them: the Lambda writes those, and the pods wait for them.

    Args:
        settings: All settings.
        target_groups: The stack's target groups, where the exposure has them; by default those in the settings.
            Without either there is no TargetGroupBinding.
    """
    return [*access_documents(settings), *proxy_documents(settings, target_groups=target_groups)]


def access_documents(settings: Settings) -> list[dict[str, Any]]:
    """The objects that an administrator applies: the Namespace, the rights in it, and the network access."""
    # The rights do not depend on the target groups that the bindings name, which are not known yet.
    any_groups = TargetGroups("any", "any")
    deployed = proxy_objects(settings, target_groups=any_groups) if settings.manifests == "namespaced" else []
    return list(AccessChart(App(), "access", settings=settings, deployed=deployed).to_json())


def proxy_documents(settings: Settings, *, target_groups: TargetGroups = UNKNOWN) -> list[dict[str, Any]]:
    """All other objects: the pods and what they run on."""
    return list(ProxyChart(App(), "proxy", settings=settings, target_groups=target_groups).to_json())
