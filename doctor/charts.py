"""How the charts' objects get into the cluster, which depends on `manifests`. Pure."""

from collections.abc import Mapping
from typing import Any

from doctor.site import Site

_ACCESS = frozenset({"Namespace", "Role", "RoleBinding"})


def is_access(document: Mapping[str, Any]) -> bool:
    """Whether only an administrator of the cluster can apply it."""
    return document["kind"] in _ACCESS


def way_out(site: Site, document: Mapping[str, Any]) -> str:
    """What brings a missing object into the cluster, and one that was changed back to what it was.

    A deployment of a stack that is there already applies the charts only when they have changed since the last one.
    """
    manifests, apply = site.settings.manifests, "kubectl apply -f -"
    if manifests == "namespaced" and is_access(document):
        return f"have an administrator of the cluster apply it: {printed(site, '--access')} | {apply}"
    if manifests == "external":
        forced = "kubectl apply --server-side --force-conflicts -f -"
        return f"let your GitOps tool apply it, or do so by hand: {printed(site)} | {forced}"
    return (
        f"deploy if that was never done; else a deployment sees no change: {printed(site)} | {apply}, as administrator"
    )


def printed(site: Site, *words: str) -> str:
    """The command that prints the charts."""
    config = () if site.config == "frontdoor.toml" else ("--config", site.config)
    return " ".join(("python -m k8s_manifests", *words, *config))
