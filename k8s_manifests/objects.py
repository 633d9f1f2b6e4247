"""From typed objects to cdk8s: the one place where the two meet."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cdk8s import ApiObject, ApiObjectMetadata, Chart, JsonPatch
from lightkube.core.resource import Resource
from lightkube.models.meta_v1 import ObjectMeta

from lambda_fn.contract.objects import chart_labels, selector_labels


@dataclass(frozen=True, slots=True)
class Place:
    """Where the objects are, and the workload they belong to.

    Attributes:
        namespace: Their namespace.
        workload: `names.workload` of the settings.
        extra_labels: `proxy.labels` of the settings.
        annotations: `proxy.annotations` of the settings.
    """

    namespace: str
    workload: str
    extra_labels: Mapping[str, str]
    annotations: Mapping[str, str]

    @property
    def selector_labels(self) -> dict[str, str]:
        """What identifies a proxy pod. A Deployment's selector cannot change, so nothing else belongs here."""
        return selector_labels(self.workload)

    @property
    def labels(self) -> dict[str, str]:
        """The operator's labels, and those of `chart_labels`."""
        return {**self.extra_labels, **chart_labels(self.workload)}

    def metadata(self, name: str | None = None) -> ObjectMeta:
        """The metadata of a namespaced object; by default it has the workload's name."""
        meta = self.unnamed_metadata()
        meta.name, meta.namespace = name or self.workload, self.namespace
        return meta

    def unnamed_metadata(self) -> ObjectMeta:
        """The labels and annotations of every object, also of one that another object makes."""
        return ObjectMeta(labels=self.labels, annotations=dict(self.annotations) or None)


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
