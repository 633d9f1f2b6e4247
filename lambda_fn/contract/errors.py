"""The errors of ecr-frontdoor, classed by what the reader has to do about them. Pure.

Every message gives the cause, the state and the fix, and never holds a secret. Only entry points log.
"""


class FrontdoorError(Exception):
    """Anything this project reports on purpose; what is not one of these is a defect."""


class SettingsError(FrontdoorError):
    """Correct `frontdoor.toml` (or redeploy, when the Lambda's environment holds stale settings)."""


class EventError(FrontdoorError):
    """Correct the event of a manual invocation; the message lists what is allowed."""


class RegistryError(FrontdoorError):
    """ECR gave no usable token. The cluster is untouched; the schedule tries again while the old token is good."""


class TemplateError(FrontdoorError):
    """Correct the template ConfigMap in the cluster. The cluster is untouched."""


class ClusterError(FrontdoorError):
    """The Kubernetes API or EKS refused or failed; the message says which request and what would allow it."""


class CanaryError(FrontdoorError):
    """A pull through the public domain failed; the message says at which step. It is no failed refresh."""
