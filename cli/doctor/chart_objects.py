"""One object of the charts, compared with the cluster. Pure."""

from collections.abc import Mapping
from typing import Any

from cli.doctor.differences import Difference
from cli.doctor.field_managers import managers_of
from cli.doctor.finding import Finding, warning
from cli.shortened import shortened

Document = dict[str, Any]

BINDING_KIND = "TargetGroupBinding"
"""The kind with a check of its own: the target group it must name is not in the settings."""

_SHOWN = 3


def title(document: Mapping[str, Any]) -> str:
    """Kind and name of an object: `Deployment aws-registry-proxy`."""
    return f"{document['kind']} {document['metadata']['name']}"


def kubectl_argument(document: Mapping[str, Any]) -> str:
    """The object in a command of kubectl, with its API group: `deployment.apps/aws-registry-proxy`."""
    group, slash, _ = document["apiVersion"].partition("/")
    kind = document["kind"].lower()
    return f"{kind}.{group}/{document['metadata']['name']}" if slash else f"{kind}/{document['metadata']['name']}"


def changed(document: Document, found: Mapping[str, Any], differences: list[Difference], hint: str) -> Finding:
    """The finding for an object that differs from the chart's."""
    shown = shortened([_with_managers(found, difference) for difference in differences], _SHOWN)
    return warning(
        f"{title(document)} was edited or is of another version. It differs from this checkout in {shown}", hint
    )


def _with_managers(found: Mapping[str, Any], difference: Difference) -> str:
    managers = managers_of(found, difference.path)
    return f"{difference} (last written by {' and '.join(managers)})" if managers else str(difference)
