"""After a removal: whether the stack is gone, and everything in the cluster that would go on serving.

CDK's kubectl reports success to CloudFormation when its `kubectl delete` has failed. So a stack can be gone while the
pods answer, with no login, no refresh and no alarm.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from cli.doctor.chart_objects import Document, kubectl_argument, title
from cli.doctor.charts import is_access
from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok, skipped, warning
from cli.doctor.kubernetes import Kubernetes
from cli.doctor.kubernetes_errors import NoClusterError, NotDescribedError, RequestRefusedError, UnknownKindError
from cli.doctor.stack_resources import deletions
from k8s_manifests import documents
from k8s_manifests.exposures.target_groups import ANY
from lambda_fn.contract.objects import selector_labels
from stacks.stack_name import stack_name

_RUNBOOK = "docs/operations.md#uninstall"


def removal_checks(checks: Iterable[Check]) -> tuple[Check, ...]:
    """The checks of a removal, in their order.

    Args:
        checks: Those of a front door that stands. Two of them know the operator's identity and the stack's status.
    """
    known = {check.id: check for check in checks}
    return (
        known["aws"],
        Check("stack", Category.AWS, partial(_stack_is_gone, known["stack"]), needs=("aws",), runbook=_RUNBOOK),
        Check("objects", Category.CLUSTER, _objects_are_gone, needs=("stack",), runbook=_RUNBOOK),
    )


def _stack_is_gone(standing: Check, context: CheckContext) -> Iterator[Finding]:
    name, status = stack_name(context.settings), context.stack.status
    if status is None:
        yield _absent(context, name)
        return
    if status == "DELETE_FAILED":
        # Of any other status the check of a stack that stands says how to deploy again.
        yield from (replace(finding, fatal=True) for finding in standing.run(context))
        return
    if status == "DELETE_IN_PROGRESS":
        yield failed(f"stack {name} is {status}", "wait until the deletion ends, then run this again", fatal=True)
        return
    hint = "run make destroy, and read its error and the stack's events"
    yield failed(f"stack {name} is {status}: it was not deleted", hint, fatal=True)


def _absent(context: CheckContext, name: str) -> Finding:
    """In another account, too, there is neither the stack nor perhaps the cluster: a trace of the stack is needed."""
    found = deletions(context.client("cloudformation"), name)
    if not found:
        return warning(
            f"stack {name} does not exist {_place(context)}, and none of that name was deleted there in the last 90 "
            "days: it may serve in another account",
            "if it was deployed to another account, run make destroy with the credentials of that one; if it was never "
            "deployed, or deleted earlier, there is nothing to do",
        )
    at = max((f"{one:%Y-%m-%d %H:%M}" for one in found if one), default="an unknown time")
    return ok(f"stack {name} does not exist {_place(context)}, where it was deleted at {at}")


def _objects_are_gone(context: CheckContext) -> Iterator[Finding]:
    settings = context.settings
    if settings.keep_objects or settings.manifests == "external":
        setting = "keep_objects = true" if settings.keep_objects else 'manifests = "external"'
        yield skipped(f"{setting}: the objects stay, and pods serve until their token expires")
        return
    try:
        kubernetes = context.kubernetes
    except NoClusterError:
        yield ok(f"cluster {settings.cluster.name} does not exist {_place(context)}, so nothing in it serves")
        return
    except NotDescribedError as error:
        yield failed(f"the objects were not checked: {error.message}", error.hint)
        return
    applied = [
        one
        for one in documents(settings, target_groups=ANY)
        if one["kind"] != "Namespace" and not (settings.manifests == "namespaced" and is_access(one))
    ]
    yield from _left(kubernetes, settings.cluster.namespace, applied)
    yield _pods(kubernetes, settings.cluster.namespace, selector_labels(settings.names.workload))


def _place(context: CheckContext) -> str:
    """With the account, which the operator's credentials decide."""
    account = context.client("sts").get_caller_identity()["Account"]
    return f"in {context.settings.cluster.region} of account {account}"


def _left(kubernetes: Kubernetes, namespace: str, applied: list[Document]) -> Iterator[Finding]:
    left: dict[str, str] = {}
    names = []
    for document in applied:
        try:
            if found := kubernetes.find(document):
                left[title(document)] = _state(found)
                names.append(kubectl_argument(document))
        except UnknownKindError:
            continue  # Without the definition of a kind there are no objects of it.
        except RequestRefusedError as error:
            yield failed(f"not checked: {error.message}", error.hint)
    if not left:
        return
    states = ", ".join(f"{name} ({state})" for name, state in left.items())
    yield failed(
        f"still in namespace {namespace}: {states}. Pods that serve there need no login and raise no alarm",
        f"kubectl -n {namespace} delete {' '.join(names)}; an error that it prints is the reason (docs/operations.md, "
        "Uninstall)",
    )


def _state(found: Mapping[str, Any]) -> str:
    metadata = found["metadata"]
    if not metadata.get("deletionTimestamp"):
        return "not deleted"
    return f"is being deleted, and waits for {', '.join(metadata.get('finalizers', ())) or 'its end'}"


def _pods(kubernetes: Kubernetes, namespace: str, labels: dict[str, str]) -> Finding:
    """Pods that end do not count: clients finish their pulls."""
    try:
        pods = kubernetes.pods(labels)
    except RequestRefusedError as error:
        return failed(f"not checked: {error.message}", error.hint)
    running = [pod.metadata.name for pod in pods if pod.metadata and not pod.metadata.deletionTimestamp]
    if running:
        names = " ".join(str(name) for name in running)
        return failed(f"pods still run in namespace {namespace}: {names}", f"kubectl -n {namespace} delete pod {names}")
    ending = f"; {len(pods)} end when their pulls have ended" if pods else ""
    return ok(f"no pod of the front door is left in namespace {namespace}{ending}")
