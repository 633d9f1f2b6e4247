"""The nginx template and the njs module as ConfigMaps."""

from hashlib import sha256
from importlib.resources import files

from lightkube.resources.core_v1 import ConfigMap

from k8s_manifests.objects import Place
from lambda_fn.contract.objects import TEMPLATE_KEY

SCRIPT_KEY = "frontdoor.js"


def template_config_map(place: Place, name: str) -> ConfigMap:
    """The template the Lambda renders. Operators may edit it: the next refresh rolls out the edit."""
    return ConfigMap(metadata=place.metadata(name), data={TEMPLATE_KEY: _source(TEMPLATE_KEY)})


def scripts_config_map(place: Place, name: str) -> ConfigMap:
    """The njs module, mounted into the pods as it is."""
    return ConfigMap(metadata=place.metadata(name), data={SCRIPT_KEY: _source(SCRIPT_KEY)})


def scripts_digest() -> str:
    """SHA-256 of the njs module, which nginx reads only at its start: a new one must restart the pods."""
    return sha256(_source(SCRIPT_KEY).encode()).hexdigest()


def _source(name: str) -> str:
    return files("k8s_manifests").joinpath("nginx", name).read_text(encoding="utf-8")
