"""A rule of the cluster's own that refuses a workload, as platform teams have them: the API server enforces it."""

import json
import time

from testbed.sandbox.commands import run
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.kubectl import kubectl_apply
from testbed.sandbox.world import World

_NAME = "few-replicas"
_IN_FORCE_WITHIN_SECONDS = 60


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
            "validations": [
                {"expression": f"object.spec.replicas <= {limit}", "message": f"{limit} replicas are the limit here"}
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
    ends_at = time.monotonic() + _IN_FORCE_WITHIN_SECONDS
    while _takes(world, workload, limit + 1):
        if time.monotonic() > ends_at:
            raise SandboxError(f"the API server does not enforce the policy {_NAME}")
        time.sleep(1)


def _takes(world: World, workload: str, replicas: int) -> bool:
    patch = json.dumps({"spec": {"replicas": replicas}})
    place = ("--namespace", world.namespace, "--dry-run=server")
    try:
        run(("kubectl", "patch", "deployment", workload, *place, "--type=merge", "--patch", patch))
    except SandboxError:
        return False
    return True
