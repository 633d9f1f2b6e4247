"""The operator's labels and annotations: on every object, and in no selector."""

from collections.abc import Iterator
from typing import Any

import pytest

from k8s_manifests import documents
from k8s_manifests.exposures import TargetGroups
from lambda_fn.settings import Settings
from tests.template.charts import INGRESS, NLB, POD, SERVICE, find, settings

LABELS = {"cost-center": "42", "example.net/team": "Platform"}
ANNOTATIONS = {"example.net/owner": "on call <on-call@example.net>"}
EXTRA = """
labels = { cost-center = "42", "example.net/team" = "Platform" }
annotations = { "example.net/owner" = "on call <on-call@example.net>" }
"""
EACH_EXPOSURE = pytest.mark.parametrize(
    "exposure", [INGRESS, NLB, POD, SERVICE], ids=["ingress", "nlb", "pod", "service"]
)
STORED = '[proxy.cache]\nstorage_class = "gp3"'
GROUPS = TargetGroups("arn:aws:plain", "arn:aws:proxied")


def objects(exposure: str, *, proxy: str = "") -> list[dict[str, Any]]:
    found = settings(exposure, proxy=proxy, more=STORED, manifests="namespaced")
    return documents(found, target_groups=GROUPS if exposure == NLB else TargetGroups())


def metadata(node: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - any JSON
    """The metadata of an object, and of those that it is the template of."""
    if isinstance(node, dict):
        yield from [node["metadata"]] if "metadata" in node else []
        for key, value in node.items():
            yield from metadata(value) if key != "metadata" else ()
    elif isinstance(node, list):
        for value in node:
            yield from metadata(value)


@EACH_EXPOSURE
def test_every_object_and_what_it_is_the_template_of_has_them(exposure: str) -> None:
    found = objects(exposure, proxy=EXTRA)
    assert len([meta for document in found for meta in metadata(document)]) == len(found) + 2
    for document in found:
        for meta in metadata(document):
            assert LABELS.items() <= meta["labels"].items(), document["kind"]
            assert ANNOTATIONS.items() <= meta["annotations"].items(), document["kind"]


def without_extra(node: Any) -> Any:  # noqa: ANN401 - any JSON
    """The same without the operator's labels and annotations in metadata."""
    if isinstance(node, list):
        return [without_extra(value) for value in node]
    if not isinstance(node, dict):
        return node
    found = {key: without_extra(value) for key, value in node.items()}
    if isinstance(meta := found.get("metadata"), dict):
        for kind, extra in (("labels", LABELS), ("annotations", ANNOTATIONS)):
            left = {key: value for key, value in meta.get(kind, {}).items() if key not in extra}
            found["metadata"] = meta = {**meta, kind: left} if left else {k: v for k, v in meta.items() if k != kind}
    return found


@EACH_EXPOSURE
def test_they_change_nothing_else_no_selector_and_no_right(exposure: str) -> None:
    assert without_extra(objects(exposure, proxy=EXTRA)) == objects(exposure)


def test_an_annotation_of_the_ingress_goes_before_one_of_all_objects() -> None:
    found: Settings = settings(f'{INGRESS}\nannotations = {{ "example.net/owner" = "network", a = "b" }}', proxy=EXTRA)
    assert find("Ingress", found)["metadata"]["annotations"] == {"example.net/owner": "network", "a": "b"}
