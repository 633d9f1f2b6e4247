"""The kubectl of the deployment, and the clusters that it supports. Pure."""

import re

MINOR = 36
"""Of CDK's kubectl layer, which has Kubernetes 1.36."""


def unsupported(version: str | None) -> str | None:
    """Why kubectl may fail at a cluster, and the fix; None where Kubernetes supports both, or the version is unknown.

    kubectl supports API servers one minor version away: https://kubernetes.io/releases/version-skew-policy/#kubectl

    Args:
        version: The cluster's, as EKS names it: `1.36`.
    """
    found = re.fullmatch(r"1\.(\d+)", version or "")
    if not found or abs(int(found[1]) - MINOR) <= 1:
        return None
    fix = "update the cluster" if int(found[1]) < MINOR else "update ecr-frontdoor"
    return (
        f"the cluster has Kubernetes {version}, and kubectl 1.{MINOR}, which applies the charts, supports "
        f"1.{MINOR - 1} to 1.{MINOR + 1}: a deployment may fail. Fix: {fix}"
    )
