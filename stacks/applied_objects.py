"""The Kubernetes objects that a deployment applies, and their digest. Pure."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from k8s_manifests import documents, proxy_documents
from k8s_manifests.exposures import UNKNOWN, TargetGroups
from lambda_fn.settings.models import Settings


def applied_documents(settings: Settings, *, target_groups: TargetGroups = UNKNOWN) -> list[dict[str, Any]]:
    """The objects that the deployment applies: all, those that need no administrator, or none."""
    match settings.manifests:
        case "kubectl":
            return documents(settings, target_groups=target_groups)
        case "namespaced":
            return proxy_documents(settings, target_groups=target_groups)
        case "external":
            return []


def workload_digest(objects: Sequence[Mapping[str, Any]]) -> str | None:
    """SHA-256 of the objects; equal objects have the same digest. None without objects."""
    if not objects:
        return None
    return hashlib.sha256(json.dumps(objects, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
