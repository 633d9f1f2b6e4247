"""Whether what the Lambda writes is the Lambda's alone, or somebody took it over."""

from collections.abc import Iterator, Mapping
from typing import Any

from cli.doctor.fields import Path, writers
from cli.doctor.finding import Finding, fine, warning
from cli.doctor.kubernetes import Kubernetes, Unreadable
from cli.doctor.objects import title
from cli.doctor.site import Site
from lambda_fn.job.manifests import FIELD_MANAGER, OWN_ANNOTATIONS
from lambda_fn.settings import Settings

_CHECK = "owners"


def examine(site: Site, kubernetes: Kubernetes) -> Iterator[Finding]:
    """The Secret, the rendered ConfigMap, and the Lambda's annotations of the Deployment's pods."""
    own = 0
    for document, paths in _owned(site.settings):
        try:
            found = kubernetes.find(document)
        except Unreadable:
            continue  # Said where it is read.
        if found is None:
            continue  # The same.
        taken = {_shown(path): names for path in paths if (names := writers(found, path, but=FIELD_MANAGER))}
        own += not taken
        if taken:
            yield _taken_over(title(document), taken)
    if own == len(_owned(site.settings)):
        yield fine(_CHECK, f"the Lambda alone writes what is the Lambda's, in {own} objects")


def _owned(settings: Settings) -> list[tuple[dict[str, Any], list[Path]]]:
    """Each object that the Lambda writes, with the fields of it that are the Lambda's."""
    names, place = settings.names, {"namespace": settings.cluster.namespace}
    annotations: Path = ("spec", "template", "metadata", "annotations")
    return [
        ({"apiVersion": "v1", "kind": "Secret", "metadata": place | {"name": names.secret}}, [("data",)]),
        ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": place | {"name": names.config_map}}, [("data",)]),
        (
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": place | {"name": names.workload}},
            [(*annotations, key) for key in OWN_ANNOTATIONS],
        ),
    ]


def _shown(path: Path) -> str:
    return str(path[-1])


def _taken_over(whose: str, taken: Mapping[str, list[str]]) -> Finding:
    fields = "; ".join(f"{field} by {' and '.join(names)}" for field, names in taken.items())
    return warning(
        _CHECK,
        f"{whose} has fields of the Lambda's that others write: {fields}",
        "find out what writes there and end it (a GitOps tool has to leave them out); the next refresh takes them "
        "back, and says so in taken_over",
    )
