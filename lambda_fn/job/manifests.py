"""The objects the Lambda owns, as server-side apply takes them: only the fields it manages. Pure."""

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lambda_fn.job.credential import Credential
from lambda_fn.settings import Names, Settings

Manifest = dict[str, Any]

FIELD_MANAGER = "ecr-frontdoor"
TEMPLATE_KEY = "nginx.conf.j2"
CONFIG_KEY = "nginx.conf"
EXPIRES_AT = "expires_at"
CONFIG_DIGEST = "ecr-frontdoor/config-sha256"
RESTARTED_AT = "ecr-frontdoor/restarted-at"
CACHE_PURGED_AT = "ecr-frontdoor/cache-purged-at"
OWN_ANNOTATIONS = (CONFIG_DIGEST, RESTARTED_AT, CACHE_PURGED_AT)
"""The pod template's annotations that belong to the Lambda; a change of any rolls the Deployment."""

_INSTANT = "%Y-%m-%dT%H:%M:%SZ"


class HiddenData(dict[str, str]):
    """A Secret's data: itself as JSON, and `{***}` in a repr, so that no traceback with locals shows it."""

    def __repr__(self) -> str:
        return "{***}"


def secret(settings: Settings, credentials: Mapping[str, Credential]) -> Manifest:
    """The Secret that is both the pods' pull secret and the proxy's credential store.

    Args:
        settings: For names.
        credentials: ECR host name to the credential of its region, one for every registry.

    Returns:
        A Secret with `data`: server-side apply keeps no track of the write-only `stringData`.
    """
    auths = {host: {"auth": credential.authorization.reveal()} for host, credential in credentials.items()}
    earliest = min(credential.expires_at for credential in credentials.values())
    return {
        **_identity(settings.names, "v1", "Secret", settings.names.secret, settings.cluster.namespace),
        "type": "kubernetes.io/dockerconfigjson",
        "data": HiddenData(
            {
                ".dockerconfigjson": _base64(json.dumps({"auths": auths}, separators=(",", ":"))),
                EXPIRES_AT: _base64(f"{earliest:{_INSTANT}}"),
            }
        ),
    }


def expires_at(data: Mapping[str, str]) -> datetime | None:
    """When the token in a Secret's `data` dies, None where the Lambda did not write it so."""
    try:
        text = base64.b64decode(data.get(EXPIRES_AT, ""), validate=True).decode()
        return datetime.strptime(text, _INSTANT).replace(tzinfo=UTC)
    except ValueError:
        return None


def config_map(settings: Settings, configuration: str) -> Manifest:
    """The ConfigMap with the rendered nginx configuration."""
    names = settings.names
    return {
        **_identity(names, "v1", "ConfigMap", names.config_map, settings.cluster.namespace),
        "data": {CONFIG_KEY: configuration},
    }


def rollout(settings: Settings, annotations: Mapping[str, str]) -> Manifest:
    """The part of the Deployment that is the Lambda's: `annotations` of its pod template, and nothing else."""
    identity = _identity(settings.names, "apps/v1", "Deployment", settings.names.workload, settings.cluster.namespace)
    del identity["metadata"]["labels"]
    return {**identity, "spec": {"template": {"metadata": {"annotations": dict(annotations)}}}}


def own_annotations(annotations: Mapping[str, str]) -> dict[str, str]:
    """Those of a pod template's annotations that belong to the Lambda."""
    return {key: annotations[key] for key in OWN_ANNOTATIONS if key in annotations}


def charts_digest(template: Mapping[str, Any]) -> str:
    """A digest of a pod template without the Lambda's annotations: another one when somebody else has changed it."""
    metadata = template.get("metadata") or {}
    annotations = metadata.get("annotations") or {}
    others = {key: value for key, value in annotations.items() if key not in OWN_ANNOTATIONS}
    content = {**template, "metadata": {**metadata, "annotations": others}}
    return digest(json.dumps(content, sort_keys=True, default=str))


def digest(configuration: str) -> str:
    """The SHA-256 of a configuration, in hex."""
    return hashlib.sha256(configuration.encode()).hexdigest()


def title(manifest: Manifest) -> str:
    """What a manifest is called in reports and messages: `Secret aws-registry`."""
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def _identity(names: Names, api_version: str, kind: str, name: str, namespace: str) -> Manifest:
    labels = {"app.kubernetes.io/name": names.workload, "app.kubernetes.io/managed-by": FIELD_MANAGER}
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
