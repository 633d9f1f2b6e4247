"""The nginx template and the njs module as ConfigMaps."""

from hashlib import sha256
from importlib.resources import files

from lightkube.resources.core_v1 import ConfigMap

from k8s_manifests.objects import metadata
from lambda_fn.settings import Settings

TEMPLATE_KEY = "nginx.conf.j2"
SCRIPT_KEY = "frontdoor.js"


def template_config_map(settings: Settings) -> ConfigMap:
    """The template the Lambda renders. Operators may edit it: the next refresh rolls the edit out."""
    return ConfigMap(
        metadata=metadata(settings, settings.names.template_config_map), data={TEMPLATE_KEY: _source(TEMPLATE_KEY)}
    )


def scripts_config_map(settings: Settings) -> ConfigMap:
    """The njs module, mounted into the pods as it is."""
    return ConfigMap(
        metadata=metadata(settings, settings.names.scripts_config_map), data={SCRIPT_KEY: _source(SCRIPT_KEY)}
    )


def scripts_digest() -> str:
    """SHA-256 of the njs module, which nginx reads only when it starts: a changed one has to roll the pods."""
    return sha256(_source(SCRIPT_KEY).encode()).hexdigest()


def _source(name: str) -> str:
    return files("k8s_manifests").joinpath("nginx", name).read_text(encoding="utf-8")
