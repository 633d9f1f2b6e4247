"""One namespace of the cluster: what an administrator does in it, and the Lambda's edge to it."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from lightkube import ApiError, Client
from lightkube.codecs import from_dict
from lightkube.models.rbac_v1 import PolicyRule
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import ConfigMap, Pod, Secret
from lightkube.resources.rbac_authorization_v1 import Role
from lightkube.types import PatchType

from lambda_fn.edges.clock import LambdaClock
from lambda_fn.edges.eks import Eks
from lambda_fn.edges.kubernetes_api import KubernetesApi
from lambda_fn.edges.kubernetes_session import Access, KubernetesSession
from lambda_fn.job.manifests import Manifest
from lambda_fn.settings import Settings
from tests.contract.cluster import grant_of

KINDS: dict[str, Any] = {"ConfigMap": ConfigMap, "Secret": Secret, "Deployment": Deployment}


@dataclass
class Invocation:
    """How long this invocation may still take, as Lambda's context says it."""

    remaining_seconds: float = 120

    def get_remaining_time_in_millis(self) -> int:
        return round(self.remaining_seconds * 1000)


@dataclass
class Site:
    """One namespace: what an administrator does in it, and what the Lambda does.

    Attributes:
        invocation: Set its remaining time low to have failures at once.
    """

    settings: Settings
    administrator: Client
    eks: Eks
    access: Access
    invocation: Invocation = field(default_factory=Invocation)

    def __post_init__(self) -> None:
        self._sessions: list[KubernetesSession] = []
        self.cluster = self.connect()

    def connect(self, access: Access | None = None) -> KubernetesApi:
        """The Lambda's edge to this namespace, in a new session."""
        clock = LambdaClock(self.invocation)
        session = KubernetesSession(grant_of(self.settings), self.eks.connect(), access or self.access, clock)
        self._sessions.append(session)
        return KubernetesApi(self.settings.names, self.settings.cluster.namespace, session)

    def close(self) -> None:
        for session in self._sessions:
            session.close()

    def create(self, manifest: Manifest) -> None:
        self.administrator.apply(from_dict(manifest), field_manager="charts", force=True)

    def edit(self, kind: str, name: str, path: tuple[str, ...], value: str) -> None:
        change: Any = value
        for part in reversed(path):
            change = {part: change}
        self.administrator.patch(
            KINDS[kind],
            name,
            change,
            namespace=self.settings.cluster.namespace,
            patch_type=PatchType.MERGE,
            field_manager="kubectl-edit",
        )

    def read(self, kind: str, name: str) -> Manifest | None:
        try:
            found = self.administrator.get(KINDS[kind], name, namespace=self.settings.cluster.namespace)
        except ApiError as error:
            if error.response.status_code != HTTPStatus.NOT_FOUND:
                raise
            return None
        content: Manifest = found.to_dict()
        return content

    def wait_for_waiting_container(self, pod: str) -> None:
        """Wait until the kubelet has said why a pod's container does not start."""
        namespace = self.settings.cluster.namespace
        for _, seen in self.administrator.watch(Pod, namespace=namespace, fields={"metadata.name": pod}):
            statuses = (seen.status.containerStatuses if seen.status else None) or []
            if any(s.state and s.state.waiting and s.state.waiting.message for s in statuses):
                return

    def without_rule(self, verb: str, resource: str, name: str | None) -> None:
        """Take one verb on one resource (and name) out of the Lambda's Role."""
        namespace = self.settings.cluster.namespace
        role = self.administrator.get(Role, f"{self.settings.names.workload}-refresher", namespace=namespace)
        rules: list[PolicyRule] = []
        for rule in role.rules or []:
            if verb in rule.verbs and resource in (rule.resources or []) and name in (rule.resourceNames or (None,)):
                other_verbs = [other for other in rule.verbs if other != verb]
                other_resources = [other for other in rule.resources or [] if other != resource]
                groups, names = rule.apiGroups, rule.resourceNames
                rules.append(PolicyRule(other_verbs, groups, resources=[resource], resourceNames=names))
                rules.append(PolicyRule(rule.verbs, groups, resources=other_resources, resourceNames=names))
            else:
                rules.append(rule)
        assert len(rules) == len(role.rules or []) + 1, f"not one rule allows {verb} {resource} {name}"
        role.rules = [rule for rule in rules if rule.verbs and rule.resources]
        self.administrator.replace(role)
