"""The hints in the cluster: the port `Store` over lightkube."""

from datetime import datetime
from typing import cast

from lightkube import ApiError
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import ConfigMap
from lightkube.types import PatchType

from lambda_fn.contract import hints
from lambda_fn.contract.hints import Hints
from lambda_fn.contract.objects import WATCHER_QUEUE, hints_config_map
from lambda_fn.edges.kubernetes_session import KubernetesSession, is_missing, is_outdated
from lambda_fn.job.api_error import Action
from lambda_fn.job.gone_images import Stored
from lambda_fn.job.manifests import Objects


class HintStore:
    """Reads and writes one ConfigMap, and never overwrites what another writer wrote meanwhile.

    The ConfigMap outlives the stack, and `deletions = false`. Meanwhile no event lifts its lines, so a watcher with
    another queue begins without the deletions of the former one: pods have removed these images from their caches.
    """

    def __init__(self, objects: Objects, session: KubernetesSession, *, queue: str | None = None) -> None:
        """Connect nothing yet.

        Args:
            objects: Builds the ConfigMap.
            session: The connection to the cluster.
            queue: The ARN of the queue of deletions; None where the watcher follows none.
        """
        self._objects, self._queue = objects, queue
        self._name = hints_config_map(objects.names.workload)
        self._session = session

    def read(self) -> Stored:
        """The hints as they are; none where the ConfigMap does not exist.

        Raises:
            ClusterError: The API refuses or fails.
        """
        try:
            found = self._session.call(
                Action("get", "configmaps", self._name),
                lambda client: client.get(ConfigMap, self._name),
                answers=is_missing,
            )
        except ApiError:
            return Stored(Hints({}, {}), None)
        parsed, wrong_lines = hints.parse(found.data or {})
        metadata = found.metadata or ObjectMeta()
        if self._queue in {None, (metadata.annotations or {}).get(WATCHER_QUEUE)}:
            return Stored(parsed, metadata.resourceVersion, wrong_lines)
        return Stored(Hints({}, parsed.named), metadata.resourceVersion, wrong_lines, is_outdated=True)

    def write(self, new: Hints, *, version: str | None, now: datetime) -> bool:
        """Replace what `read` gave with that version; False, without a change, where it has another one by now.

        Raises:
            ClusterError: The API refuses or fails.
        """
        try:
            self._apply(hints.build(new, now=now), version or self._create())
        except ApiError:
            return False
        return True

    def _create(self) -> str:
        """The version of a ConfigMap without hints: an apply would also take one that another writer just made."""
        empty = cast("ConfigMap", ConfigMap.from_dict(self._objects.hints(queue=self._queue)))
        created = self._session.call(
            Action("create", "configmaps", self._name), lambda client: client.create(empty), answers=is_outdated
        )
        return str(created.metadata and created.metadata.resourceVersion)

    def _apply(self, data: dict[str, str], version: str) -> None:
        manifest = self._objects.hints(data, version=version, queue=self._queue)
        # With force: an edit by hand is in what `read` gave, and `data` holds it as far as it is valid.
        self._session.call(
            Action("patch", "configmaps", self._name),
            lambda client: client.patch(ConfigMap, self._name, manifest, patch_type=PatchType.APPLY, force=True),
            answers=is_outdated,
        )
