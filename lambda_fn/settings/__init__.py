"""`frontdoor.toml` as frozen models: the one source of every value an operator can set. Pure."""

from lambda_fn.settings.cache import Cache
from lambda_fn.settings.models import (
    Cluster,
    IngressExposure,
    Names,
    PodExposure,
    Proxy,
    Refresh,
    Registry,
    Resources,
    ServiceExposure,
    Settings,
)
from lambda_fn.settings.parse import ENVIRONMENT_NAME, parse_environment, parse_toml, to_environment

__all__ = [
    "ENVIRONMENT_NAME",
    "Cache",
    "Cluster",
    "IngressExposure",
    "Names",
    "PodExposure",
    "Proxy",
    "Refresh",
    "Registry",
    "Resources",
    "ServiceExposure",
    "Settings",
    "parse_environment",
    "parse_toml",
    "to_environment",
]
