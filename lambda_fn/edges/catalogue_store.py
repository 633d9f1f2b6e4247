"""The catalogue in the cluster: the port `Store` over lightkube."""

import base64
import binascii
from typing import cast

from lightkube import ApiError
from lightkube.resources.core_v1 import ConfigMap
from lightkube.types import PatchType

from lambda_fn.contract.objects import catalogue_config_maps
from lambda_fn.edges.kubernetes_session import KubernetesSession, is_missing, is_outdated
from lambda_fn.job.api_error import Action
from lambda_fn.job.catalogue.ports import Stored
from lambda_fn.job.manifests import Objects


class CatalogueStore:
    """Reads and writes the catalogue's ConfigMaps, and never overwrites what another writer wrote meanwhile."""

    def __init__(self, objects: Objects, session: KubernetesSession) -> None:
        self._objects = objects
        self._names = catalogue_config_maps(objects.names.workload)
        self._session = session

    def read(self, file: str) -> Stored:
        """The file as it is.

        Raises:
            ClusterError: The API refuses or fails.
        """
        name = self._names[file]
        try:
            found = self._session.call(
                Action("get", "configmaps", name), lambda client: client.get(ConfigMap, name), answers=is_missing
            )
        except ApiError:
            return Stored(None, None)
        text = (found.binaryData or {}).get(file)
        return Stored(_bytes(text) if text else None, found.metadata.resourceVersion if found.metadata else None)

    def write(self, file: str, content: bytes, *, version: str | None) -> bool:
        """Replace what `read` gave with that version; False, without a change, where it has another one by now.

        Raises:
            ClusterError: The API refuses or fails.
        """
        name = self._names[file]
        try:
            manifest = self._objects.catalogue(name, {file: content}, version=version or self._create(name))
            # With force: an edit by hand is in what `read` gave.
            self._session.call(
                Action("patch", "configmaps", name),
                lambda client: client.patch(ConfigMap, name, manifest, patch_type=PatchType.APPLY, force=True),
                answers=is_outdated,
            )
        except ApiError:
            return False
        return True

    def _create(self, name: str) -> str:
        """The version of an empty ConfigMap: an apply would also take one that another writer just made."""
        empty = cast("ConfigMap", ConfigMap.from_dict(self._objects.catalogue(name)))
        created = self._session.call(
            Action("create", "configmaps", name), lambda client: client.create(empty), answers=is_outdated
        )
        return str(created.metadata and created.metadata.resourceVersion)


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:  # The API server checks it.
        return b""
