"""Kubernetes objects: names that follow from the settings, keys, labels, annotations, the field manager. Pure."""

FIELD_MANAGER = "ecr-frontdoor"
"""The field manager of the Lambda's server-side applies."""

TEMPLATE_KEY = "nginx.conf.j2"
"""The nginx template, in the ConfigMap that the charts write."""
CONFIG_KEY = "nginx.conf"
"""The rendered configuration, in the ConfigMap that the Lambda writes."""

CONFIG_SHA256 = "ecr-frontdoor/config-sha256"
"""SHA-256 of the rendered configuration that the pods were rolled out with."""
RESTARTED_AT = "ecr-frontdoor/restarted-at"
"""Time of the last forced rollout."""
CACHE_PURGED_AT = "ecr-frontdoor/cache-purged-at"
"""Time of the last cache purge."""
LAMBDA_ANNOTATIONS = (CONFIG_SHA256, RESTARTED_AT, CACHE_PURGED_AT)
"""The pod template's annotations that the Lambda alone writes; a change of any of them rolls the Deployment."""
WATCHER_QUEUE = "ecr-frontdoor/watcher-queue"
"""On the ConfigMap of the hints: the ARN of the queue whose deletions it has. A new watcher has a new queue."""
SCRIPTS_SHA256 = "ecr-frontdoor/scripts-sha256"
"""The pod template's annotation that the charts write, so that a changed script rolls the Deployment."""

_NAME = "app.kubernetes.io/name"


def selector_labels(workload: str) -> dict[str, str]:
    """The labels that identify a proxy pod. A Deployment's selector is immutable, so nothing else belongs here."""
    return {_NAME: workload}


def chart_labels(workload: str) -> dict[str, str]:
    """The labels of every object of the charts.

    https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/
    """
    return {
        _NAME: workload,
        "app.kubernetes.io/component": "registry-proxy",
        "app.kubernetes.io/part-of": "ecr-frontdoor",
    }


def lambda_labels(workload: str) -> dict[str, str]:
    """The labels of the objects that the Lambda creates: the Secret and the rendered ConfigMap."""
    return {_NAME: workload, "app.kubernetes.io/managed-by": FIELD_MANAGER}


CATALOGUE_SHARDS = 16
"""The ConfigMaps over which the catalogue is spread, beside its index."""


def hints_config_map(workload: str) -> str:
    """The ConfigMap of `contract.hints`, which the watcher writes."""
    return f"{workload}-hints"


def page_config_map(workload: str) -> str:
    """The ConfigMap with the files of the page, which the charts write."""
    return f"{workload}-page"


def catalogue_config_maps(workload: str) -> dict[str, str]:
    """The ConfigMaps of the catalogue, which the watcher writes: the file that each holds, and its name."""
    parts = ["index", *(f"{shard:02d}" for shard in range(CATALOGUE_SHARDS))]
    return {f"{part}.json.gz": f"{workload}-catalogue-{part}" for part in parts}


def refresher_role(workload: str) -> str:
    """The name of the Lambda's Role, and of its RoleBinding."""
    return f"{workload}-refresher"


def watcher_role(workload: str) -> str:
    """The name of the Role of the watcher, and of its RoleBinding."""
    return f"{workload}-watcher"


def deployer_role(workload: str) -> str:
    """The name of the Role of the deployment's kubectl, and of its RoleBinding."""
    return f"{workload}-deployer"


def proxied_binding(workload: str) -> str:
    """The name of the TargetGroupBinding whose target group sends PROXY protocol.

    The controller makes the name of a pod's condition of it, which holds 63 characters.
    """
    return f"{workload}-proxied"


def refresher_group(namespace: str) -> str:
    """The Lambda's Kubernetes group by default. Groups are cluster-wide, so the name contains the namespace."""
    return f"ecr-frontdoor:refresher:{namespace}"


def watcher_group(namespace: str) -> str:
    """The Kubernetes group of the watcher, the Lambda that follows the images of ECR."""
    return f"ecr-frontdoor:watcher:{namespace}"


def deployer_group(namespace: str) -> str:
    """The Kubernetes group of the deployment's kubectl, where it is not an administrator of the cluster."""
    return f"ecr-frontdoor:deployer:{namespace}"
