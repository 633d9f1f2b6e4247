"""Whether the TargetGroupBinding connects the pods to the stack's load balancer (`exposure.kind = "nlb"`)."""

from collections.abc import Iterator

from botocore.exceptions import BotoCoreError, ClientError

import k8s_manifests
from cli.doctor.chart_objects import BINDING_KIND, Document, changed, title
from cli.doctor.charts import print_command
from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.differences import differences
from cli.doctor.finding import Finding, failed, ok
from cli.doctor.kubernetes import UnknownKindError
from cli.doctor.stack_resources import TARGET_GROUP
from k8s_manifests.exposures import exposure_of

_CONSEQUENCE = "the load balancer reaches no pod"
_ANY_ARN = "any"
"""Instead of the ARN, where neither AWS nor the settings have it."""


def run(context: CheckContext) -> Iterator[Finding]:
    """The binding, and its target group; nothing with another exposure."""
    settings = context.settings
    exposure = exposure_of(settings)
    if not exposure.has_load_balancer:
        return
    given, made = exposure.target_group_arn, _target_group_of_stack(context)
    if given and made and given != made:
        yield failed(
            f"proxy.exposure.target_group_arn is {given}, but the stack's target group is {made}",
            "correct the settings and apply the charts",
        )
    hint = _apply_hint(settings.manifests, context.config, made)
    documents = k8s_manifests.proxy_documents(settings, target_group_arn=made or given or _ANY_ARN)
    (document,) = [one for one in documents if one["kind"] == BINDING_KIND]
    try:
        found = context.kubernetes.find(document)
    except UnknownKindError as error:
        controller = "install the AWS Load Balancer Controller with its TargetGroupBinding (docs/exposure.md)"
        yield failed(f"{error.message}: {_CONSEQUENCE}", controller)
        return
    if found is None:
        yield failed(f"{title(document)} is missing: {_CONSEQUENCE}", hint)
    else:
        yield _compare(document, found, hint)


def _compare(document: Document, found: Document, hint: str) -> Finding:
    actual, expected = found.get("spec", {}).get("targetGroupARN"), document["spec"]["targetGroupARN"]
    if expected not in {_ANY_ARN, actual}:
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


def _target_group_of_stack(context: CheckContext) -> str | None:
    """The ARN of the stack's target group; None where AWS does not answer, which the check `stack` reports."""
    try:
        return next(iter(context.stack.of(TARGET_GROUP)), None)
    except (BotoCoreError, ClientError):
        return None


def _apply_hint(manifests: str, config: str, made: str | None) -> str:
    arn = made or "ARN (the stack's output TargetGroupArn)"
    if manifests == "external":
        return f'set proxy.exposure.target_group_arn = "{arn}" and apply the charts'
    return f"apply it: {print_command(config, '--target-group-arn', arn)} | kubectl apply -f -"


CHECK = Check("binding", Category.CLUSTER, run, needs=("cluster",))
