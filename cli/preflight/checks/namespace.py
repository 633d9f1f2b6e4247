"""Whether the cluster's API answers here, and whether the namespace is free for ecr-frontdoor."""

from collections.abc import Iterator
from dataclasses import replace

from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.finding import Finding, failed, ok, warning
from cli.doctor.kubernetes_errors import KubernetesError, NotDescribedError
from cli.preflight.checks import RUNBOOK
from lambda_fn.contract.objects import selector_labels


def run(context: CheckContext) -> Iterator[Finding]:
    """The namespace, and the pods of others in it: it enforces Pod Security `restricted`.

    An operator who has no access to the cluster may deploy all the same.
    """
    try:
        yield from _namespace(context)
    except NotDescribedError as error:
        yield failed(error.message, error.hint, fatal=True)
    except KubernetesError as error:
        yield replace(warning(f"{error.message}; nothing in the cluster was checked", error.hint), fatal=True)


def _namespace(context: CheckContext) -> Iterator[Finding]:
    settings = context.settings
    name = settings.cluster.namespace
    found = context.kubernetes.find({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    if found is None:
        yield ok(f"namespace {name} does not exist yet, and a deployment makes it")
        return
    own = selector_labels(settings.names.workload).items()
    others = [
        pod.metadata.name or ""
        for pod in context.kubernetes.pods({})
        if pod.metadata and not own <= (pod.metadata.labels or {}).items()
    ]
    if others:
        yield warning(
            f"namespace {name} has pods of others, such as {others[0]}, and a deployment lets it enforce Pod Security "
            "restricted, which may refuse their successors",
            "set cluster.namespace to a namespace of its own",
        )
    else:
        yield ok(f"namespace {name} exists, and has no pods but those of a front door, if any")


CHECK = Check("namespace", Category.CLUSTER, run, runbook=RUNBOOK)
