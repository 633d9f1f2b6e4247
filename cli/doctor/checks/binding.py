"""Whether the TargetGroupBindings connect the pods to the stack's load balancer (`exposure.kind = "nlb"`)."""

from collections.abc import Iterator

from botocore.exceptions import BotoCoreError, ClientError

import k8s_manifests
from cli.doctor.chart_objects import BINDING_KIND, Document, changed, title
from cli.doctor.charts import print_command
from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.differences import differences
from cli.doctor.finding import Finding, Verdict, failed, ok
from cli.doctor.kubernetes import UnknownKindError
from cli.doctor.stack_resources import TARGET_GROUP, TARGET_GROUP_CONSTRUCTS
from k8s_manifests.exposures import UNKNOWN, TargetGroups, exposure_of
from k8s_manifests.exposures.target_groups import TARGET_GROUP_SETTINGS, option_of, output_of

_CONSEQUENCE = "the load balancer reaches no pod"
_ANY = TargetGroups("any", "any")
"""Instead of the ARNs, where neither AWS nor the settings have them."""
_CONTROLLER = "install the AWS Load Balancer Controller with its TargetGroupBinding (docs/exposure.md)"


def run(context: CheckContext) -> Iterator[Finding]:
    """The bindings, and their target groups; nothing with another exposure."""
    settings = context.settings
    exposure = exposure_of(settings)
    if not exposure.has_load_balancer:
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
    documents = k8s_manifests.proxy_documents(settings, target_groups=made.or_else(given).or_else(_ANY))
    bindings = [one for one in documents if one["kind"] == BINDING_KIND]
    try:
        compared = [_compare(document, context.kubernetes.find(document), hint) for document in bindings]
    except UnknownKindError as error:
        yield failed(f"{error.message}: {_CONSEQUENCE}", _CONTROLLER)
        return
    wrong = [one for one in compared if one.verdict is not Verdict.OK]
    yield from wrong or [ok(" and ".join(one.message for one in compared))]


def _compare(document: Document, found: Document | None, hint: str) -> Finding:
    if found is None:
        return failed(f"{title(document)} is missing: {_CONSEQUENCE}", hint)
    actual, expected = found.get("spec", {}).get("targetGroupARN"), document["spec"]["targetGroupARN"]
    if expected not in {_ANY.plain, actual}:
        metadata = document["metadata"]
        delete = f"kubectl -n {metadata['namespace']} delete targetgroupbinding {metadata['name']}"
        return failed(
            f"{title(document)} names {actual}, but the stack's target group is {expected}: {_CONSEQUENCE}",
            f"the field is immutable, so delete the object: {delete}; then {hint}",
        )
    different = [one for one in differences(document, found) if one.path != ("spec", "targetGroupARN")]
    if different:
        return changed(document, found, different, hint)
    return ok(f"{title(document)} names {actual}")


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


CHECK = Check("binding", Category.CLUSTER, run, needs=("cluster",))
