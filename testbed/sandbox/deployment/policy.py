"""Admission policies of the cluster, which the API server enforces."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from testbed.sandbox.commands import run
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.kubectl import kubectl_apply
from testbed.sandbox.world import World
from testbed.waiting import eventually

_NAME = "of-the-sandbox"
_API = "admissionregistration.k8s.io"
_WITHIN_SECONDS = 60


@dataclass(frozen=True)
class Policy:
    """What is refused of Deployments.

    Attributes:
        operations: The operations of the API that it looks at.
        expression: What holds for an allowed one, in CEL.
        message: What the API server answers to another one.
        probe: kubectl's words for one that is refused.
    """

    operations: tuple[str, ...]
    expression: str
    message: str
    probe: tuple[str, ...]


def few_replicas(workload: str, limit: int) -> Policy:
    """No Deployment has more than `limit` replicas."""
    patch = json.dumps({"spec": {"replicas": limit + 1}})
    words = ("patch", "deployment", workload, "--type=merge", "--patch", patch)
    message = "so many replicas are not allowed here"
    return Policy(("CREATE", "UPDATE"), f"object.spec.replicas <= {limit}", message, words)


def no_deletion(workload: str) -> Policy:
    """No Deployment is deleted."""
    return Policy(("DELETE",), "false", "Deployments are kept here", ("delete", "deployment", workload))


@contextmanager
def enforced(world: World, policy: Policy) -> Iterator[None]:
    """The API server enforces a policy while the block runs.

    Raises:
        SandboxError: It does not begin to, or does not end.
    """
    rule = {"apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"]}
    # Forbidden, as policy webhooks answer: then kubectl prints the whole patch beside the message.
    validation = {"expression": policy.expression, "message": policy.message, "reason": "Forbidden"}
    specs = {
        "ValidatingAdmissionPolicy": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [{**rule, "operations": [*policy.operations]}]},
            "validations": [validation],
        },
        "ValidatingAdmissionPolicyBinding": {"policyName": _NAME, "validationActions": ["Deny"]},
    }
    for kind, spec in specs.items():
        kubectl_apply(json.dumps({"apiVersion": f"{_API}/v1", "kind": kind, "metadata": {"name": _NAME}, "spec": spec}))
    _wait(world, policy, accepted=False)
    try:
        yield
    finally:
        run(("kubectl", "delete", f"{','.join(specs)}", _NAME))
    _wait(world, policy, accepted=True)


def _wait(world: World, policy: Policy, *, accepted: bool) -> None:
    if not eventually(lambda: _accepts(world, policy) is accepted, _WITHIN_SECONDS, pause_seconds=1):
        state = "still enforces" if accepted else "does not enforce"
        raise SandboxError(f"the API server {state} {policy.message!r} after {_WITHIN_SECONDS} s")


def _accepts(world: World, policy: Policy) -> bool:
    try:
        run(("kubectl", *policy.probe, "--namespace", world.namespace, "--dry-run=server"))
    except SandboxError:
        return False
    return True
