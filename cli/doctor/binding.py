"""The TargetGroupBinding, which ties the pods to the stack's load balancer (`exposure.kind = "nlb"`)."""

from collections.abc import Iterator

from botocore.exceptions import BotoCoreError, ClientError

import k8s_manifests
from cli.doctor import stack
from cli.doctor.charts import printed
from cli.doctor.differences import differences
from cli.doctor.finding import Finding, failure, fine, warning
from cli.doctor.kubernetes import Kubernetes, UnknownKind, Unreadable
from cli.doctor.load_balancer import TARGET_GROUP
from cli.doctor.objects import BINDING, Document, different, title
from cli.doctor.site import Site
from lambda_fn.settings import NlbExposure

_CHECK = "binding"
_NOBODY = "nothing leads from the load balancer to the pods"
_ANY = "any"
"""In place of an ARN that neither AWS nor the settings say."""


def examine(site: Site, kubernetes: Kubernetes) -> Iterator[Finding]:
    """Whether it is there and names the stack's target group; nothing with another exposure."""
    exposure = site.settings.proxy.exposure
    if not isinstance(exposure, NlbExposure):
        return
    given, made = exposure.target_group_arn, _target_group(site)
    if given and made and given != made:
        said = f"proxy.exposure.target_group_arn is {given}, and the stack's target group is {made}"
        yield failure(_CHECK, said, "correct the settings, and apply the charts")
    objects = k8s_manifests.proxy_documents(site.settings, target_group_arn=made or given or _ANY)
    (document,) = [one for one in objects if one["kind"] == BINDING]
    try:
        found = kubernetes.find(document)
    except UnknownKind as error:
        way_out = "install the AWS Load Balancer Controller with its TargetGroupBinding (docs/exposure.md)"
        yield failure(_CHECK, f"{error.said}: {_NOBODY}", way_out)
        return
    except Unreadable as error:
        yield warning(_CHECK, error.said, error.way_out)
        return
    if found is None:
        yield failure(_CHECK, f"{title(document)} is missing: {_NOBODY}", _way_out(site, made))
    else:
        yield _compared(site, document, found, made)


def _compared(site: Site, document: Document, found: Document, made: str | None) -> Finding:
    named, wanted = found.get("spec", {}).get("targetGroupARN"), document["spec"]["targetGroupARN"]
    if wanted not in {_ANY, named}:
        name, namespace = document["metadata"]["name"], site.settings.cluster.namespace
        return failure(
            _CHECK,
            f"{title(document)} names {named}, and the stack's target group is {wanted}: {_NOBODY}",
            f"it cannot be changed: kubectl -n {namespace} delete targetgroupbinding {name}; {_way_out(site, made)}",
        )
    changed = [one for one in differences(document, found) if one.path != ("spec", "targetGroupARN")]
    if changed:
        return different(_CHECK, document, found, changed, _way_out(site, made))
    return fine(_CHECK, f"{title(document)} names {named}")


def _target_group(site: Site) -> str | None:
    """The ARN of the stack's; None where AWS does not say."""
    try:
        made = stack.resources(site)
    except (BotoCoreError, ClientError):
        return None  # Said where the stack is examined.
    return next(iter(made.of(TARGET_GROUP)), None) if made else None


def _way_out(site: Site, made: str | None) -> str:
    arn = made or "ARN (the stack's output TargetGroupArn)"
    if site.settings.manifests == "external":
        return f'set proxy.exposure.target_group_arn = "{arn}" and apply the charts'
    return f"apply it: {printed(site, '--target-group-arn', arn)} | kubectl apply -f -"
