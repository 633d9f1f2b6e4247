"""Whether another field manager writes the fields that the Lambda owns."""

from collections.abc import Iterator

from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.field_managers import Path, managers_of
from cli.doctor.finding import Finding, ok, warning
from cli.doctor.kubernetes import Kubernetes
from cli.doctor.kubernetes_errors import RequestRefusedError
from lambda_fn.contract.objects import FIELD_MANAGER, LAMBDA_ANNOTATIONS
from lambda_fn.settings.names import Names

_ANNOTATIONS: Path = ("spec", "template", "metadata", "annotations")


def run(context: CheckContext) -> Iterator[Finding]:
    """The Secret, the rendered ConfigMap, and the Lambda's annotations of the Deployment's pods."""
    owned = _owned(context.settings.names)
    results = [_other_managers(context.kubernetes, *one) for one in owned]
    for (_, kind, name, _), others in zip(owned, results, strict=True):
        if others:
            yield warning(
                f"{kind} {name}: another field manager writes fields of the Lambda: {'; '.join(others)}",
                "stop that writer (a GitOps tool must leave these fields out); the next refresh takes them back and "
                "lists them in taken_over",
            )
    if all(others == [] for others in results):
        yield ok(f"the Lambda is the only writer of its fields, in {len(owned)} objects")


def _owned(names: Names) -> list[tuple[str, str, str, list[Path]]]:
    """API version, kind and name of each object that the Lambda writes, with the Lambda's fields of it."""
    return [
        ("v1", "Secret", names.secret, [("data",)]),
        ("v1", "ConfigMap", names.config_map, [("data",)]),
        ("apps/v1", "Deployment", names.workload, [(*_ANNOTATIONS, key) for key in LAMBDA_ANNOTATIONS]),
    ]


def _other_managers(
    kubernetes: Kubernetes, api_version: str, kind: str, name: str, paths: list[Path]
) -> list[str] | None:
    """Each field with its other managers; None for an object that another check reports, missing or unreadable."""
    try:
        found = kubernetes.find_named(kind, name, api_version=api_version)
    except RequestRefusedError:
        return None
    if found is None:
        return None
    others = ((path[-1], managers_of(found, path, except_for=FIELD_MANAGER)) for path in paths)
    return [f"{field} by {' and '.join(managers)}" for field, managers in others if managers]


CHECK = Check("field-managers", Category.CLUSTER, run, needs=("cluster",))
