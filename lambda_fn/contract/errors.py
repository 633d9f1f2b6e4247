"""The errors of ecr-frontdoor, classed by what the reader has to do about them. Pure.

Every message gives the cause, the state and the fix, and never holds a secret. Only entry points log.
"""


class FrontdoorError(Exception):
    """Anything this project reports on purpose; what is not one of these is a defect."""


class SettingsError(FrontdoorError):
    """Correct `frontdoor.toml` (or redeploy, when the Lambda's bundle holds stale settings)."""


class EventError(FrontdoorError):
    """Correct the event of a manual invocation; the message lists what is allowed."""


class RegistryError(FrontdoorError):
    """ECR gave no usable token. The schedule tries again while the earlier token is valid."""


class TemplateError(FrontdoorError):
    """Correct the template ConfigMap in the cluster. The proxy keeps the configuration it has."""


class ClusterError(FrontdoorError):
    """The Kubernetes API or EKS refused or failed; the message names the request and the fix."""


class CanaryError(FrontdoorError):
    """A pull through the public domain failed; the message says at which step. It does not fail the refresh."""
