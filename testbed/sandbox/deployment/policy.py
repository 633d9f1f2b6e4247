"""An admission policy of the cluster that refuses a workload. The API server enforces it."""

import json

from testbed.sandbox.commands import run
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.kubectl import kubectl_apply
from testbed.sandbox.world import World
from testbed.waiting import eventually

MESSAGE = "so many replicas are not allowed here"
_NAME = "few-replicas"
_IN_FORCE_WITHIN_SECONDS = 60
_MANY = 100


def allow_replicas(world: World, workload: str, limit: int) -> None:
    """Refuse Deployments of more than `limit` replicas from now on; returns when the API server does.

    Raises:
        SandboxError: It does not.
    """
    api = "admissionregistration.k8s.io"
    kinds = [
        {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["deployments"]}
    ]
    policy = {
        "apiVersion": f"{api}/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": _NAME},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": kinds},
            # Forbidden, as policy webhooks answer: then kubectl prints the whole patch beside the message.
            "validations": [
                {"expression": f"object.spec.replicas <= {limit}", "message": MESSAGE, "reason": "Forbidden"}
            ],
        },
    }
    binding = {
        "apiVersion": f"{api}/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": _NAME},
        "spec": {"policyName": _NAME, "validationActions": ["Deny"]},
    }
    for document in (policy, binding):
        kubectl_apply(json.dumps(document))
    if not eventually(lambda: not _accepts(world, workload, limit + 1), _IN_FORCE_WITHIN_SECONDS, pause_seconds=1):
        raise SandboxError(f"the API server does not enforce the policy {_NAME} after {_IN_FORCE_WITHIN_SECONDS} s")


def lift(world: World, workload: str) -> None:
    """Refuse nothing any more; returns when the API server does not.

    Raises:
        SandboxError: It still does.
    """
    for kind in ("validatingadmissionpolicybinding", "validatingadmissionpolicy"):
        run(("kubectl", "delete", kind, _NAME))
    if not eventually(lambda: _accepts(world, workload, _MANY), _IN_FORCE_WITHIN_SECONDS, pause_seconds=1):
        raise SandboxError(
            f"the API server enforces the policy {_NAME} {_IN_FORCE_WITHIN_SECONDS} s after its deletion"
        )


def _accepts(world: World, workload: str, replicas: int) -> bool:
    patch = json.dumps({"spec": {"replicas": replicas}})
    place = ("--namespace", world.namespace, "--dry-run=server")
    try:
        run(("kubectl", "patch", "deployment", workload, *place, "--type=merge", "--patch", patch))
    except SandboxError:
        return False
    return True
