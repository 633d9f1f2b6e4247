"""From typed objects to cdk8s: the one place where the two meet."""

from collections.abc import Iterable
from typing import Any

from cdk8s import ApiObject, ApiObjectMetadata, Chart, JsonPatch
from lightkube.core.resource import Resource
from lightkube.models.meta_v1 import ObjectMeta

from lambda_fn.settings import Settings

PART_OF = "ecr-frontdoor"


def selector_labels(settings: Settings) -> dict[str, str]:
    """What identifies a proxy pod. A Deployment's selector cannot change, so nothing else belongs here."""
    return {"app.kubernetes.io/name": settings.names.workload}


def labels(settings: Settings) -> dict[str, str]:
    """The recommended labels: https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/ ."""
    return selector_labels(settings) | {
        "app.kubernetes.io/component": "registry-proxy",
        "app.kubernetes.io/part-of": PART_OF,
    }


def metadata(settings: Settings, name: str) -> ObjectMeta:
    """The metadata of a namespaced object."""
    return ObjectMeta(name=name, namespace=settings.cluster.namespace, labels=labels(settings))


def add(chart: Chart, objects: Iterable[Resource]) -> None:
    """Put typed objects into a chart, in their order.

    cdk8s's Python `ApiObject` takes metadata alone: its typed objects come from a code generator that needs the cdk8s
    command line. lightkube's models are typed as well and are here already, so the rest arrives by JSON patch.
    """
    for item in objects:
        document: dict[str, Any] = item.to_dict()  # type: ignore[attr-defined]  # every model has it; Resource does not say so
        meta = document.pop("metadata")
        node = ApiObject(
            chart,
            f"{document['kind']}-{meta['name']}".lower(),
            api_version=document.pop("apiVersion"),
            kind=document.pop("kind"),
            metadata=ApiObjectMetadata(**meta),
        )
        for key, value in document.items():
            node.add_json_patch(JsonPatch.add(f"/{key}", value))
