"""Whether the charts' objects are there, and as this checkout has them; and who made them otherwise."""

from collections.abc import Iterator, Mapping
from typing import Any

import k8s_manifests
from cli.doctor.charts import is_access, way_back, way_in
from cli.doctor.differences import Difference, differences
from cli.doctor.fields import writers
from cli.doctor.finding import Finding, failure, fine, warning
from cli.doctor.kubernetes import Kubernetes, Unreadable
from cli.doctor.site import Site

Document = dict[str, Any]

BINDING = "TargetGroupBinding"
"""The one kind that has a check of its own: what it has to name is not in the settings."""

_CHECK = "objects"
_SHOWN = 3


def examine(site: Site, kubernetes: Kubernetes) -> Iterator[Finding]:
    """Each object that is different or unreadable, then what is missing, by who can apply it; or that all is well."""
    documents = [document for document in k8s_manifests.documents(site.settings) if document["kind"] != BINDING]
    good = 0
    missing: list[Document] = []
    for document in documents:
        try:
            found = kubernetes.find(document)
        except Unreadable as error:
            yield warning(_CHECK, error.said, error.way_out)
            continue
        if found is None:
            missing.append(document)
        elif changed := list(differences(document, found)):
            yield different(_CHECK, document, found, changed, way_back(site, document))
        else:
            good += 1
    for of_access in (True, False):
        yield from _missing(site, [document for document in missing if is_access(document) is of_access])
    if good == len(documents):
        yield fine(_CHECK, f"all {good} are as this checkout's charts have them")


def different(
    check: str, document: Document, found: Mapping[str, Any], changed: list[Difference], way_out: str
) -> Finding:
    """One object that is not as the chart has it."""
    shown = ", ".join(_by_whom(found, one) for one in changed[:_SHOWN])
    more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
    return warning(
        check,
        f"{title(document)} is not as this checkout has it: {shown}{more}. Somebody edited it, or another version is "
        "deployed",
        way_out,
    )


def title(document: Mapping[str, Any]) -> str:
    """What an object is called: `Deployment aws-registry-proxy`."""
    return f"{document['kind']} {document['metadata']['name']}"


def _by_whom(found: Mapping[str, Any], one: Difference) -> str:
    names = writers(found, one.path)
    return f"{one} (last written by {' and '.join(names)})" if names else str(one)


def _missing(site: Site, documents: list[Document]) -> Iterator[Finding]:
    if documents:
        titles = [title(document) for document in documents]
        said = f"{', '.join(titles)} {'is' if len(titles) == 1 else 'are'} missing"
        yield failure(_CHECK, said, way_in(site, documents[0]))
