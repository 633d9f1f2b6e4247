"""The kinds of what registers pods with a load balancer, without a controller: their definitions cannot be had."""

from typing import Any


def definition(group: str, version: str) -> dict[str, Any]:
    """The CustomResourceDefinition of TargetGroupBinding in an API group, which accepts every field."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"targetgroupbindings.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": "TargetGroupBinding", "plural": "targetgroupbindings", "singular": "targetgroupbinding"},
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                    },
                }
            ],
        },
    }


AWS_LOAD_BALANCER_CONTROLLER = definition("elbv2.k8s.aws", "v1beta1")
EKS_AUTO_MODE = definition("eks.amazonaws.com", "v1")
