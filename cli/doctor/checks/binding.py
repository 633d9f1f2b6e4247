"""Whether the TargetGroupBindings connect the pods to the stack's load balancer (`exposure.kind = "nlb"`)."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import product

from botocore.exceptions import BotoCoreError, ClientError
from lightkube.resources.core_v1 import Pod

import k8s_manifests
from cli.doctor.chart_objects import BINDING_KIND, Document, changed, kubectl_argument, title
from cli.doctor.charts import print_command
from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.differences import differences
from cli.doctor.finding import Finding, Verdict, failed, ok, warning
from cli.doctor.kubernetes import Kubernetes
from cli.doctor.kubernetes_errors import RequestRefusedError, UnknownKindError
from cli.doctor.stack_resources import TARGET_GROUP, TARGET_GROUP_CONSTRUCTS
from k8s_manifests.exposures import UNKNOWN, Exposure, TargetGroups, exposure_of
from k8s_manifests.exposures.controllers import CONTROLLERS, Controller
from k8s_manifests.exposures.target_groups import ANY, TARGET_GROUP_SETTINGS, option_of, output_of
from lambda_fn.contract.objects import selector_labels

_CONSEQUENCE = "the load balancer reaches no pod"


def run(context: CheckContext) -> Iterator[Finding]:
    """The bindings, and their target groups; nothing with another exposure."""
    settings = context.settings
    exposure = exposure_of(settings)
    if not exposure.controller:
        return
    given, made = exposure.target_groups, _target_groups_of_stack(context)
    for group, setting in TARGET_GROUP_SETTINGS.items():
        expected, actual = getattr(given, group), getattr(made, group)
        if expected and actual and expected != actual:
            yield failed(
                f"proxy.exposure.{setting} is {expected}, but the stack's target group is {actual}",
                "correct the settings and apply the charts",
            )
    hint = _apply_hint(settings.manifests, context.config, made)
    documents = k8s_manifests.proxy_documents(settings, target_groups=made.or_else(given).or_else(ANY))
    bindings = [one for one in documents if one["kind"] == BINDING_KIND]
    try:
        compared = [_compare(document, context.kubernetes.find(document), hint) for document in bindings]
    except UnknownKindError as error:
        yield failed(f"{error.message}: {_CONSEQUENCE}", exposure.controller.if_missing)
        return
    yield from _of_the_other_controller(context.kubernetes, bindings, exposure.controller)
    wrong = [one for one in compared if one.verdict is not Verdict.OK]
    yield from wrong or [ok(" and ".join(one.message for one in compared))]
    names = {document["metadata"]["name"] for document in bindings}
    yield from _without_gate(context.kubernetes.pods(selector_labels(settings.names.workload)), names, exposure)


def _compare(document: Document, found: Document | None, hint: str) -> Finding:
    if found is None:
        return failed(f"{title(document)} is missing: {_CONSEQUENCE}", hint)
    actual, expected = found.get("spec", {}).get("targetGroupARN"), document["spec"]["targetGroupARN"]
    if expected not in {ANY.plain, actual}:
        delete = f"kubectl -n {document['metadata']['namespace']} delete {kubectl_argument(document)}"
        return failed(
            f"{title(document)} names {actual}, but the stack's target group is {expected}: {_CONSEQUENCE}",
            f"the field is immutable, so delete the object: {delete}; then {hint}",
        )
    different = [one for one in differences(document, found) if one.path != ("spec", "targetGroupARN")]
    if different:
        return changed(document, found, different, hint)
    return ok(f"{title(document)} names {actual}")


def _of_the_other_controller(
    kubernetes: Kubernetes, bindings: Iterable[Document], controller: Controller
) -> Iterator[Finding]:
    """Bindings that a change of `proxy.exposure.controller` has left; nothing where the operator may not look."""
    others = [other for other in CONTROLLERS.values() if other is not controller]
    for other, document in product(others, bindings):
        left = {**document, "apiVersion": other.api_version}
        with suppress(UnknownKindError, RequestRefusedError):
            if kubernetes.find(left):
                argument, namespace = kubectl_argument(left), document["metadata"]["namespace"]
                yield failed(
                    f"{argument} is left of another proxy.exposure.controller: both register and deregister pods",
                    f"kubectl -n {namespace} delete {argument}, then kubectl -n {namespace} delete "
                    f"{kubectl_argument(document)} and apply that one again: it registers the pods again",
                )


def _without_gate(pods: Iterable[Pod], bindings: set[str], exposure: Exposure) -> Iterator[Finding]:
    """Pods that are ready before the load balancer finds them healthy: the controller adds a gate for each binding.

    It names the pod's condition after its own domain and the binding: `target-health.elbv2.k8s.aws/<binding>`.
    """
    label = " and ".join(f"{key}={value}" for key, value in exposure.namespace_labels.items())
    for pod in pods:
        gates = {gate.conditionType.partition("/")[2] for gate in (pod.spec and pod.spec.readinessGates) or ()}
        if missing := sorted(bindings - gates):
            yield warning(
                f"pod {pod.metadata and pod.metadata.name} has no readiness gate of {' and '.join(missing)}: a rollout "
                "does not wait until the load balancer finds it healthy, and may interrupt pulls",
                f"label the namespace with {label}, then delete the pod",
            )


def _target_groups_of_stack(context: CheckContext) -> TargetGroups:
    """The stack's target groups; none where AWS does not answer, which the check `stack` reports."""
    try:
        found = [next(iter(context.stack.of(TARGET_GROUP, construct)), None) for construct in TARGET_GROUP_CONSTRUCTS]
    except (BotoCoreError, ClientError):
        return UNKNOWN
    return TargetGroups(*found)


def _apply_hint(manifests: str, config: str, made: TargetGroups) -> str:
    arns = {
        setting: getattr(made, group) or f"ARN (the stack's output {output_of(setting)})"
        for group, setting in TARGET_GROUP_SETTINGS.items()
    }
    if manifests == "external":
        lines = " and ".join(f'proxy.exposure.{setting} = "{arn}"' for setting, arn in arns.items())
        return f"set {lines} and apply the charts"
    words = [word for setting, arn in arns.items() for word in (option_of(setting), arn)]
    return f"apply it: {print_command(config, *words)} | kubectl apply -f -"


CHECK = Check(
    "binding", Category.CLUSTER, run, needs=("cluster",), runbook="docs/exposure.md#nlb-a-load-balancer-of-the-stack"
)
