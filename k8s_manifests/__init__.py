"""The Kubernetes objects of ecr-frontdoor as cdk8s charts: what the proxy is and what the Lambda may do to it."""

from typing import Any

from cdk8s import App

from k8s_manifests.access_chart import AccessChart
from k8s_manifests.proxy_chart import ProxyChart
from lambda_fn.settings import Settings

__all__ = ["AccessChart", "ProxyChart", "documents"]


def documents(settings: Settings, *, target_group_arn: str | None = None) -> list[dict[str, Any]]:
    """Every object a cluster needs, as plain dicts in an order that can be applied: the Namespace comes first.

    The Secret and the rendered ConfigMap are not among them: the Lambda writes those, and the pods wait for them.

    Args:
        settings: What to write.
        target_group_arn: The stack's target group for `exposure.kind = "nlb"`; by default the one in the settings.
            Without either there is no TargetGroupBinding.
    """
    app = App()
    arn = target_group_arn or getattr(settings.proxy.exposure, "target_group_arn", None)
    charts = (
        AccessChart(app, "access", settings=settings),
        ProxyChart(app, "proxy", settings=settings, target_group_arn=arn),
    )
    return [document for chart in charts for document in chart.to_json()]
