"""Whether the charts' objects are in the cluster, as this checkout has them."""

from collections.abc import Iterator

import k8s_manifests
from cli.doctor.chart_objects import BINDING_KIND, Document, changed, title
from cli.doctor.charts import changed_hint, is_access, missing_hint
from cli.doctor.check import Category, Check
from cli.doctor.context import CheckContext
from cli.doctor.differences import differences
from cli.doctor.finding import Finding, failed, ok, warning
from cli.doctor.kubernetes import Kubernetes
from cli.doctor.kubernetes_errors import RequestRefusedError


def run(context: CheckContext) -> Iterator[Finding]:
    """Each object that differs or cannot be read, then the missing ones by how they are applied."""
    documents = [one for one in k8s_manifests.documents(context.settings) if one["kind"] != BINDING_KIND]
    manifests, config = context.settings.manifests, context.config
    equal = 0
    missing: list[Document] = []
    for document in documents:
        match _compare(context.kubernetes, document, changed_hint(document, manifests, config)):
            case Finding() as finding:
                yield finding
            case is_found:
                equal += is_found
                missing += [] if is_found else [document]
    for access in (True, False):
        found = [document for document in missing if is_access(document) is access]
        if found:
            titles = ", ".join(title(document) for document in found)
            yield failed(
                f"{titles} {'is' if len(found) == 1 else 'are'} missing", missing_hint(found[0], manifests, config)
            )
    if equal == len(documents):
        yield ok(f"all {equal} objects are as in this checkout's charts")


def _compare(kubernetes: Kubernetes, document: Document, hint: str) -> Finding | bool:
    """What is wrong with an object; otherwise whether it exists."""
    try:
        found = kubernetes.find(document)
    except RequestRefusedError as error:
        return warning(error.message, error.hint)
    if found is None:
        return False
    different = list(differences(document, found))
    return changed(document, found, different, hint) if different else True


CHECK = Check("objects", Category.CLUSTER, run, needs=("cluster",))
