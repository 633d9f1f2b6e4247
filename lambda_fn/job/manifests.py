"""The objects the Lambda owns, as server-side apply takes them: only the fields it manages. Pure."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lambda_fn.contract import secret
from lambda_fn.contract.errors import SettingsError
from lambda_fn.contract.objects import CONFIG_KEY, LAMBDA_ANNOTATIONS, WATCHER_QUEUE, hints_config_map, lambda_labels
from lambda_fn.settings.names import Names

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Objects:
    """Builds the objects of one installation.

    Attributes:
        names: What they are called.
        namespace: Where they are.
        labels: The operator's labels of those that the Lambda creates.
        annotations: The operator's annotations of the same.
    """

    names: Names
    namespace: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    def secret(self, entries: Mapping[str, secret.Entry], expires_at: datetime, refreshed_at: datetime) -> Manifest:
        """The Secret that is the pods' pull secret and the proxy's credential store; arguments as of `secret.build`.

        Raises:
            SettingsError: Kubernetes would not accept it, because it has too many tokens.
        """
        data = secret.build(entries, expires_at, refreshed_at)
        if (size := secret.size_bytes(data)) > secret.LIMIT_BYTES:
            raise SettingsError(
                f"Secret {self.names.secret} would have {size:,} bytes with the tokens of {len(entries)} ECR hosts, "
                f"and Kubernetes allows {secret.LIMIT_BYTES:,}; it is left as it is. Fix: move [[registries]] to "
                "another front door. A host that was removed from the settings counts until its token expires, within "
                "12 hours"
            )
        return {**self._created("Secret", self.names.secret), "type": secret.TYPE, "data": data}

    def config_map(self, configuration: str) -> Manifest:
        """The ConfigMap with the rendered nginx configuration."""
        return {**self._created("ConfigMap", self.names.config_map), "data": {CONFIG_KEY: configuration}}

    def hints(
        self, data: Mapping[str, str] | None = None, *, version: str | None = None, queue: str | None = None
    ) -> Manifest:
        """The ConfigMap with `data` of `contract.hints`, and the queue of its writer.

        With a version, the API server refuses it where the object has another one by now.
        """
        manifest = self._created("ConfigMap", hints_config_map(self.names.workload))
        if queue:
            manifest["metadata"]["annotations"] = {**self.annotations, WATCHER_QUEUE: queue}
        if version:
            manifest["metadata"]["resourceVersion"] = version
        return {**manifest, "data": dict(data)} if data else manifest

    def catalogue(self, name: str, files: Mapping[str, bytes] | None = None, *, version: str | None = None) -> Manifest:
        """The ConfigMap `name` of the catalogue, with a file; the version as of `hints`."""
        manifest = self._created("ConfigMap", name)
        if version:
            manifest["metadata"]["resourceVersion"] = version
        data = {file: base64.b64encode(content).decode() for file, content in (files or {}).items()}
        return {**manifest, "binaryData": data} if data else manifest

    def rollout(self, annotations: Mapping[str, str]) -> Manifest:
        """The part of the Deployment that is the Lambda's: `annotations` of its pod template, and nothing else."""
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": self.names.workload, "namespace": self.namespace},
            "spec": {"template": {"metadata": {"annotations": dict(annotations)}}},
        }

    def _created(self, kind: str, name: str) -> Manifest:
        """An object that only the Lambda writes, without its content."""
        metadata: Manifest = {"name": name, "namespace": self.namespace}
        metadata["labels"] = {**self.labels, **lambda_labels(self.names.workload)}
        if self.annotations:
            metadata["annotations"] = dict(self.annotations)
        return {"apiVersion": "v1", "kind": kind, "metadata": metadata}


def own_annotations(annotations: Mapping[str, str]) -> dict[str, str]:
    """Those of a pod template's annotations that belong to the Lambda."""
    return {key: annotations[key] for key in LAMBDA_ANNOTATIONS if key in annotations}


def charts_digest(template: Mapping[str, Any]) -> str:
    """A digest of a pod template without the Lambda's annotations: another one when another writer has changed it."""
    metadata = template.get("metadata") or {}
    annotations = metadata.get("annotations") or {}
    others = {key: value for key, value in annotations.items() if key not in LAMBDA_ANNOTATIONS}
    content = {**template, "metadata": {**metadata, "annotations": others}}
    return digest(json.dumps(content, sort_keys=True, default=str))


def digest(configuration: str) -> str:
    """The SHA-256 of a configuration, in hex."""
    return hashlib.sha256(configuration.encode()).hexdigest()


def title(manifest: Manifest) -> str:
    """What a manifest is called in reports and messages: `Secret aws-registry`."""
    return f"{manifest['kind']} {manifest['metadata']['name']}"
