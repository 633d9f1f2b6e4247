"""Whether the charts' objects are there, and as this checkout has them."""

from collections.abc import Iterator, Mapping
from typing import Any

from lightkube.utils.quantity import parse_quantity

import k8s_manifests
from doctor.finding import Finding, failure, fine, warning
from doctor.kubernetes import Kubernetes, Unreadable
from lambda_fn.settings import Settings

_CHECK = "objects"
_SHOWN = 3
_APPLY = "apply the charts again: deploy, or python -m k8s_manifests | kubectl apply --server-side -f -"


def examine(settings: Settings, kubernetes: Kubernetes) -> Iterator[Finding]:
    """A finding for each object that is missing, different or unreadable; one for all the others."""
    documents = k8s_manifests.documents(settings)
    troubles = [trouble for document in documents if (trouble := _trouble(document, kubernetes))]
    yield from troubles
    yield fine(_CHECK, f"{len(documents) - len(troubles)} of {len(documents)} as this checkout's charts have them")


def _trouble(document: dict[str, Any], kubernetes: Kubernetes) -> Finding | None:
    title = f"{document['kind']} {document['metadata']['name']}"
    try:
        found = kubernetes.find(document)
    except Unreadable as error:
        return warning(_CHECK, error.said, error.way_out)
    if found is None:
        return failure(_CHECK, f"{title} is missing", _APPLY)
    changed = list(differences(document, found))
    if not changed:
        return None
    shown = ", ".join(changed[:_SHOWN]) + (f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else "")
    return warning(
        _CHECK,
        f"{title} is not as this checkout has it: {shown}. Somebody edited it, or another version is deployed",
        f"keep the edit in your fork or settings, or undo it: {_APPLY}",
    )


def differences(wanted: Any, found: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401 - JSON
    """Paths below which `found` lacks or changes what `wanted` says; what it has beyond that is the API's default."""
    match wanted:
        case Mapping():
            values = found if isinstance(found, Mapping) else {}
            for key, value in wanted.items():
                yield from differences(value, values.get(key), f"{path}.{key}")
        case list() if wanted and isinstance(found, list) and len(found) == len(wanted):
            for number, pair in enumerate(zip(wanted, found, strict=True)):
                yield from differences(*pair, f"{path}[{number}]")
        case _ if not _same(wanted, found):
            yield path


def _same(wanted: object, found: object) -> bool:
    if wanted == found or (not wanted and not found):
        return True
    try:
        # The API server writes 1024Mi as 1Gi.
        return isinstance(wanted, str) and isinstance(found, str) and parse_quantity(wanted) == parse_quantity(found)
    except ValueError:
        return False
