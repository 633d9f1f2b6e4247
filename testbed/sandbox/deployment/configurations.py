"""The settings that are deployed one after the other: first ones, changed ones, and two that must fail. Pure.

The Lambda runs in a VPC, as in the `frontdoor.toml` that ships: without one there is no canary.
"""

from collections.abc import Mapping

from testbed.sandbox.errors import SandboxError
from testbed.sandbox.names import Names

PERIOD_MINUTES = 120
"""Between two refreshes, after the change."""
CANARY_MINUTES = 30
TOO_MANY_REPLICAS = 4
"""More than the cluster's own policy allows."""
NO_SUCH_TAG = "no-such-tag"


def first(written: str, namespace: str, proxy_keys: str) -> str:
    """What `frontdoor init` has written, as a new user edits it: with the catalogue, and with metrics to read.

    Args:
        written: The file.
        namespace: Where the front door is deployed.
        proxy_keys: What the sandbox needs of `[proxy]`.
    """
    changes = {
        '# namespace = "registry"': f'namespace = "{namespace}"',
        "# [page]\n# catalogue": "[page]\ncatalogue",
        "# [proxy]\n# monitoring": f"[proxy]\n{proxy_keys}monitoring",
    }
    return f"{_with(written, changes)}\n[refresh]\nrollout_timeout_seconds = 120\n"


def changed(text: str, names: Names) -> str:
    """Another domain and drain time, which change nginx's configuration and the pods; another period; a canary."""
    canary = f"""
[canary]
repository = "{names.app_repository}"
reference = "{names.app_tag}"
period_minutes = {CANARY_MINUTES}
"""
    changes = {
        f'domain = "{names.domain}"': f'domain = "{names.new_domain}"',
        # Kubernetes looks at a namespace that is deleted again after half of its pods' grace.
        "drain_seconds = 300": "drain_seconds = 30",
        "[refresh]": f"[refresh]\nperiod_minutes = {PERIOD_MINUTES}",
    }
    return _with(text, changes) + canary


def refused(text: str) -> str:
    """More pods than the cluster's own policy allows, and no canary any more."""
    return without_canary(_with(text, {"[proxy]": f"[proxy]\nreplicas = {TOO_MANY_REPLICAS}"}))


def without_image(text: str, names: Names) -> str:
    """An image that does not exist, found out within seconds."""
    image = f'image = "{names.ecr_host}/{names.proxy_repository}:'
    timeout = {"rollout_timeout_seconds = 120": "rollout_timeout_seconds = 30"}
    return _with(text, {image: f'{image}{NO_SUCH_TAG}" # ', **timeout})


def stuck(text: str, names: Names) -> str:
    """The same, with another period."""
    return other_period(without_image(text, names))


def other_period(text: str) -> str:
    """Another period, which is a new version of the function and so a run."""
    return _with(text, {f"period_minutes = {PERIOD_MINUTES}": "period_minutes = 60"})


def without_canary(text: str) -> str:
    """The same without its last table."""
    return text.partition("\n[canary]")[0]


def _with(text: str, changes: Mapping[str, str]) -> str:
    for old, new in changes.items():
        if old not in text:
            raise SandboxError(f"the sandbox's settings do not contain {old!r}")
        text = text.replace(old, new)
    return text
