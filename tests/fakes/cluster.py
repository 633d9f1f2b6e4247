"""A fake Kubernetes: server-side apply with field managers, and a Deployment that rolls out as the test sets it."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from copy import deepcopy
from datetime import datetime
from typing import Any

from lambda_fn.contract import secret as secret_format
from lambda_fn.contract.errors import ClusterError
from lambda_fn.contract.objects import CONFIG_KEY, FIELD_MANAGER, TEMPLATE_KEY
from lambda_fn.contract.secret import Entry
from lambda_fn.job import manifests
from lambda_fn.job.manifests import Manifest
from lambda_fn.job.ports import Applied, Workload
from lambda_fn.settings import Settings
from tests.fakes.clock import FakeClock

Path = tuple[str, ...]
Leaves = dict[Path, Any]
IDENTITY = (("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace"))


class FakeCluster:
    """A namespace.

    Attributes:
        rolls_in_seconds: How long a rollout takes; None for one that never ends. Going back to the revision that was
            complete last takes none, for its pods still run.
        forgets_revisions: Going back takes as long as any rollout.
        new_pods_ready: Pods of a rollout that is not complete, which are available.
        refusing: Kinds whose apply fails.
        unanswered: Kinds whose apply is done and then fails.
        reads_left: How often the Deployment can be read still; None for ever.
        stamps: A field of the Deployment that a webhook changes at every apply.
        killed: What happened to pods, with its instant; None when they cannot be listed.
        log: What a stuck pod printed.
        meanwhile: What another writer does while a stuck rollout is explained.
    """

    def __init__(self, settings: Settings, clock: FakeClock | None = None) -> None:
        self._settings = settings
        self._clock = clock or FakeClock()
        self._fields: dict[tuple[str, str], Leaves] = {}
        self._managers: dict[tuple[str, str], dict[Path, set[str]]] = {}
        self._rolled_at = self._clock.now()
        self._complete: Manifest = {}
        self.forgets_revisions = False
        self.new_pods_ready = 0
        self.meanwhile: Callable[[], None] = lambda: None
        self.rolls_in_seconds: float | None = 20
        self.refusing: set[str] = set()
        self.unanswered: set[str] = set()
        self.reads_left: int | None = None
        self.killed: list[tuple[datetime, str]] | None = []
        self.stamps: Path | None = None
        self.log = "nginx: [emerg] unknown directive"
        self.writes: list[str] = []

    def read_template(self) -> str:
        name = self._settings.names.template_config_map
        template = (self.read("ConfigMap", name) or {}).get("data", {}).get(TEMPLATE_KEY)
        if template is None:
            raise ClusterError(f"ConfigMap {name} or its key {TEMPLATE_KEY} does not exist: apply the charts")
        return str(template)

    def read_configuration(self) -> str | None:
        found = self.read("ConfigMap", self._settings.names.config_map)
        return None if found is None else found.get("data", {}).get(CONFIG_KEY)

    def read_workload(self) -> Workload | None:
        if self.reads_left == 0:
            raise ClusterError("Kubernetes does not answer")
        if self.reads_left:
            self.reads_left -= 1
        found = self.read("Deployment", self._settings.names.workload)
        if found is None:
            return None
        wanted = found["spec"]["replicas"]
        revision = found["spec"]["template"]
        rolled_for = (self._clock.now() - self._rolled_at).total_seconds()
        if self.rolls_in_seconds is not None and rolled_for >= self.rolls_in_seconds:
            self._complete = revision
        complete = revision == self._complete
        return Workload(
            wanted=wanted,
            ready=wanted,
            updated_ready=wanted if complete else self.new_pods_ready,
            complete=complete,
            charts_sha256=manifests.charts_digest(revision),
            annotations=revision["metadata"].get("annotations", {}),
        )

    def read_expiry(self) -> datetime | None:
        secret = self.read("Secret", self._settings.names.secret)
        return secret_format.expires_at(secret["data"]) if secret else None

    def read_tokens(self) -> dict[str, Entry]:
        secret = self.read("Secret", self._settings.names.secret)
        with suppress(ValueError):
            return secret_format.parse(secret["data"]) if secret else {}
        return {}

    def apply(self, manifest: Manifest, *, dry_run: bool) -> Applied:
        if manifest["kind"] in self.refusing:
            raise ClusterError(f"Kubernetes forbids the Lambda to patch {manifest['kind']}")
        before = deepcopy((self._fields, self._managers))
        key = (manifest["kind"], manifest["metadata"]["name"])
        if manifest["kind"] == "Deployment" and key not in self._fields:
            raise ClusterError(f"Deployment {key[1]} is gone: apply the charts")
        was = dict(self._fields.get(key, {}))
        taken_over = self._apply(key, manifest, FIELD_MANAGER)
        if self.stamps and manifest["kind"] == "Deployment":
            self._fields[key][self.stamps] = f"stamp {len(self.writes)}"
        changed = self._fields[key] != was
        template_changed = _template(self._fields[key]) != _template(was)
        if dry_run:
            self._fields, self._managers = before
        else:
            self._note(key, changed=changed, rolled=template_changed and bool(was))
        if manifest["kind"] in self.unanswered:
            raise ClusterError(f"Kubernetes does not answer a patch of {manifest['kind']}")
        return Applied(changed=changed, template_changed=template_changed, taken_over=tuple(taken_over))

    def killed_pods(self, *, since: datetime) -> tuple[str, ...]:
        if self.killed is None:
            raise ClusterError("Kubernetes forbids the Lambda to list pods")
        return tuple(text for at, text in self.killed if at >= since)

    def explain_stuck_rollout(self) -> str:
        self.meanwhile()
        return f"pod {self._settings.names.workload}-x, container nginx: CrashLoopBackOff\n  {self.log}"

    # --- what tests do to it -----------------------------------------------------------------------------------------

    def create(self, manifest: Manifest) -> None:
        """An object as the charts make it."""
        key = (manifest["kind"], manifest["metadata"]["name"])
        self._apply(key, manifest, "charts")

    def edit(self, kind: str, name: str, path: Path, value: str) -> None:
        """One field, changed by a person."""
        self._fields[kind, name][path] = value
        self._managers[kind, name][path] = {"kubectl-edit"}

    def scale(self, replicas: int) -> None:
        """The Deployment, with another number of pods."""
        self._fields["Deployment", self._settings.names.workload]["spec", "replicas"] = replicas

    def delete(self, kind: str, name: str) -> None:
        """An object, deleted by a person."""
        del self._fields[kind, name]

    def read(self, kind: str, name: str) -> Manifest | None:
        """An object as it is, None when there is none."""
        leaves = self._fields.get((kind, name))
        return None if leaves is None else _tree(leaves)

    def _apply(self, key: tuple[str, str], manifest: Manifest, manager: str) -> list[str]:
        fields, managers = self._fields.setdefault(key, {}), self._managers.setdefault(key, {})
        wanted = _leaves(manifest)
        taken_over = []
        for path, value in wanted.items():
            others = managers.get(path, set()) - {manager}
            if path not in IDENTITY and others and fields[path] != value:
                taken_over.append(f".{'.'.join(path)} (conflict with {', '.join(sorted(others))})")
                managers[path] = set()
            fields[path] = value
            managers.setdefault(path, set()).add(manager)
        for path in [path for path, owners in managers.items() if manager in owners and path not in wanted]:
            managers[path].discard(manager)
            if not managers[path]:
                del managers[path], fields[path]
        return taken_over

    def _note(self, key: tuple[str, str], *, changed: bool, rolled: bool) -> None:
        if changed:
            self.writes.append(" ".join(key))
        if rolled:
            self._rolled_at = self._clock.now()
            if self.forgets_revisions:
                self._complete = {}


def _template(fields: Leaves) -> Leaves:
    return {path: value for path, value in fields.items() if path[:2] == ("spec", "template")}


def _leaves(node: Mapping[str, Any], path: Path = ()) -> Leaves:
    """Every value with its path; lists are values."""
    leaves: Leaves = {}
    for key, value in node.items():
        if isinstance(value, Mapping) and value:
            leaves |= _leaves(value, (*path, key))
        else:
            leaves[*path, key] = value
    return leaves


def _tree(leaves: Leaves) -> Manifest:
    tree: Manifest = {}
    for path, value in leaves.items():
        node = tree
        for part in path[:-1]:
            node = node.setdefault(part, {})
        node[path[-1]] = value
    return tree
