"""The Kubernetes objects of ecr-frontdoor as cdk8s charts: what the proxy is and what the Lambda may do to it."""

from typing import Any

from cdk8s import App

from k8s_manifests.access_chart import AccessChart
from k8s_manifests.proxy_chart import ProxyChart
from lambda_fn.settings import Settings

__all__ = ["AccessChart", "ProxyChart", "documents"]


def documents(settings: Settings) -> list[dict[str, Any]]:
    """Every object a cluster needs, as plain dicts in an order that can be applied: the Namespace comes first.

    The Secret and the rendered ConfigMap are not among them: the Lambda writes those, and the pods wait for them.
    """
    app = App()
    charts = (AccessChart(app, "access", settings=settings), ProxyChart(app, "proxy", settings=settings))
    return [document for chart in charts for document in chart.to_json()]
