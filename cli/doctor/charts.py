"""How the charts' objects get into the cluster, which depends on `manifests`. Pure."""

from collections.abc import Mapping
from typing import Any

from stacks.environments import DEFAULT_CONFIG

_ACCESS_KINDS = frozenset(
    {"Namespace", "Role", "RoleBinding", "NetworkPolicy", "Service", "Ingress", "HTTPRoute", "TLSRoute"}
)
"""The kinds of `k8s_manifests.access_documents`; a test compares."""


def is_access(document: Mapping[str, Any]) -> bool:
    """Whether an object grants access, so that with `manifests = "namespaced"` an administrator applies it."""
    return document["kind"] in _ACCESS_KINDS


def missing_hint(document: Mapping[str, Any], manifests: str, config: str) -> str:
    """How to apply an object that is missing."""
    gitops = "apply the charts, with your GitOps tool or by hand"
    deploy = "deploy, if that was never done; otherwise apply by hand, as a deployment does not see a deletion"
    return _hint(document, manifests, config, gitops, deploy)


def changed_hint(document: Mapping[str, Any], manifests: str, config: str) -> str:
    """How to make an object that was changed as this checkout has it, or how to keep the change."""
    gitops = "apply this checkout's charts, with your GitOps tool or by hand"
    deploy = "deploy, if this checkout is newer; otherwise apply by hand, as a deployment does not see an edit"
    keep = ". To keep the edit, make it in your fork or settings"
    return _hint(document, manifests, config, gitops, deploy) + ("" if _by_administrator(document, manifests) else keep)


def print_command(config: str, *arguments: str) -> str:
    """The command that prints the charts."""
    option = () if config == DEFAULT_CONFIG else ("--config", config)
    return " ".join(("frontdoor manifests", *arguments, *option))


def _hint(document: Mapping[str, Any], manifests: str, config: str, gitops: str, deploy: str) -> str:
    command = _apply_command(document, manifests, config)
    if _by_administrator(document, manifests):
        return f"let an administrator of the cluster run {command}"
    return f"{gitops if manifests == 'external' else deploy}: {command}"


def _apply_command(document: Mapping[str, Any], manifests: str, config: str) -> str:
    """The command that applies an object, whichever field manager wrote it last."""
    only_access = ("--access",) if _by_administrator(document, manifests) else ()
    options = "--server-side --force-conflicts " if manifests == "external" else ""
    return f"{print_command(config, *only_access)} | kubectl apply {options}-f -"


def _by_administrator(document: Mapping[str, Any], manifests: str) -> bool:
    return manifests == "namespaced" and is_access(document)
