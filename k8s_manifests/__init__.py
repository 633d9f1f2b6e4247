"""The Kubernetes objects of ecr-frontdoor as cdk8s charts: what the proxy is and who may do what to it."""

from typing import Any

from cdk8s import App

from k8s_manifests.access_chart import AccessChart
from k8s_manifests.proxy_chart import ProxyChart
from lambda_fn.settings import Settings

__all__ = ["AccessChart", "ProxyChart", "access_documents", "documents", "proxy_documents"]


def documents(settings: Settings, *, target_group_arn: str | None = None) -> list[dict[str, Any]]:
    """Every object a cluster needs, as plain dicts in an order that can be applied: the Namespace comes first.

    The Secret and the rendered ConfigMap are not among them: the Lambda writes those, and the pods wait for them.

    Args:
        settings: What to write.
        target_group_arn: The stack's target group for `exposure.kind = "nlb"`; by default the one in the settings.
            Without either there is no TargetGroupBinding.
    """
    return [*access_documents(settings), *proxy_documents(settings, target_group_arn=target_group_arn)]


def access_documents(settings: Settings) -> list[dict[str, Any]]:
    """What is an administrator's to apply: the Namespace, who may do what in it, and who in the network gets in."""
    return list(AccessChart(App(), "access", settings=settings).to_json())


def proxy_documents(settings: Settings, *, target_group_arn: str | None = None) -> list[dict[str, Any]]:
    """Everything else: the pods and what they run on."""
    arn = target_group_arn or getattr(settings.proxy.exposure, "target_group_arn", None)
    return list(ProxyChart(App(), "proxy", settings=settings, target_group_arn=arn).to_json())
