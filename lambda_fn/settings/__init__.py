"""`frontdoor.toml` as frozen models: the one source of every value an operator can set. Pure."""

from lambda_fn.settings.alarms import Alarms
from lambda_fn.settings.cache import Cache
from lambda_fn.settings.canary import Canary
from lambda_fn.settings.cluster import Cluster
from lambda_fn.settings.endpoints import Endpoints
from lambda_fn.settings.exposure import GatewayExposure, IngressExposure, NlbExposure, PodExposure, ServiceExposure
from lambda_fn.settings.models import Settings
from lambda_fn.settings.names import Names
from lambda_fn.settings.page import Page
from lambda_fn.settings.parse import parse_json, parse_toml, to_json
from lambda_fn.settings.proxy import Proxy, Resources
from lambda_fn.settings.refresh import Refresh
from lambda_fn.settings.registry import Registry, Replica
from lambda_fn.settings.schedule import Schedule
from lambda_fn.settings.timeouts import Timeouts
from lambda_fn.settings.watcher import Watcher

__all__ = [
    "Alarms",
    "Cache",
    "Canary",
    "Cluster",
    "Endpoints",
    "GatewayExposure",
    "IngressExposure",
    "Names",
    "NlbExposure",
    "Page",
    "PodExposure",
    "Proxy",
    "Refresh",
    "Registry",
    "Replica",
    "Resources",
    "Schedule",
    "ServiceExposure",
    "Settings",
    "Timeouts",
    "Watcher",
    "parse_json",
    "parse_toml",
    "to_json",
]
