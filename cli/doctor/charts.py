"""How the charts' objects get into the cluster, which depends on `manifests`. Pure."""

from collections.abc import Mapping
from typing import Any

from cli.doctor.site import USUAL_CONFIG, Site

_ACCESS = frozenset({"Namespace", "Role", "RoleBinding", "NetworkPolicy", "Service", "Ingress"})
"""The kinds of `k8s_manifests.access_documents`; a test compares."""


def is_access(document: Mapping[str, Any]) -> bool:
    """Whether it grants rights or lets somebody in, so that an administrator of the cluster applies it."""
    return document["kind"] in _ACCESS


def way_in(site: Site, document: Mapping[str, Any]) -> str:
    """What brings a missing object into the cluster."""
    gitops = "let your GitOps tool apply the charts, or do so by hand"
    deploy = "deploy if that was never done; a later deployment does not see what is gone"
    return _by_whom(site, document, gitops, deploy)


def way_back(site: Site, document: Mapping[str, Any]) -> str:
    """What makes an object that is different as this checkout has it, or lets it be."""
    gitops = "let your GitOps tool apply this checkout's, or do so by hand"
    deploy = "deploy if this checkout is newer; a deployment does not see an edit"
    return _by_whom(site, document, gitops, deploy, "; an edit that is meant belongs into your fork or settings")


def _by_whom(site: Site, document: Mapping[str, Any], gitops: str, deploy: str, besides: str = "") -> str:
    """Who applies it, and the command; `gitops` and `deploy` are the words where that is no administrator."""
    if _is_the_administrators(site, document):
        return f"have an administrator of the cluster run {_by_hand(site, document)}"
    by = gitops if site.settings.manifests == "external" else deploy
    return f"{by}: {_by_hand(site, document)}{besides}"


def _by_hand(site: Site, document: Mapping[str, Any]) -> str:
    """The command that applies it, whoever wrote it last."""
    only_access = ("--access",) if _is_the_administrators(site, document) else ()
    options = "--server-side --force-conflicts " if site.settings.manifests == "external" else ""
    return f"{printed(site, *only_access)} | kubectl apply {options}-f -"


def _is_the_administrators(site: Site, document: Mapping[str, Any]) -> bool:
    return site.settings.manifests == "namespaced" and is_access(document)


def printed(site: Site, *words: str) -> str:
    """The command that prints the charts."""
    config = () if site.config == USUAL_CONFIG else ("--config", site.config)
    return " ".join(("python -m k8s_manifests", *words, *config))
