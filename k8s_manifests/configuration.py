"""The nginx template and the njs modules as ConfigMaps."""

import re
from hashlib import sha256
from importlib.resources import files
from textwrap import indent

from lightkube.resources.core_v1 import ConfigMap

from k8s_manifests.objects import Place
from lambda_fn.contract.objects import TEMPLATE_KEY

_NGINX = files("k8s_manifests").joinpath("nginx")
_INCLUDE = re.compile(r"^( *)\{% include '([a-z_]+\.conf\.j2)' %\}\n", re.MULTILINE)


def template_config_map(place: Place, name: str) -> ConfigMap:
    """The template the Lambda renders. Operators may edit it: the next refresh rolls the edit out."""
    return ConfigMap(metadata=place.metadata(name), data={TEMPLATE_KEY: template()})


def scripts_config_map(place: Place, name: str) -> ConfigMap:
    """The njs modules, which each pod copies when it starts."""
    return ConfigMap(metadata=place.metadata(name), data=scripts())


def template() -> str:
    """The template as one text, so that operators edit one, and the Lambda's Jinja needs no loader.

    Its source is in parts of one concern each: a line `{% include 'NAME.conf.j2' %}` stands for the file
    `nginx/conf/NAME.conf.j2`, indented like that line.
    """
    return _joined(_NGINX.joinpath(TEMPLATE_KEY).read_text(encoding="utf-8"))


def scripts() -> dict[str, str]:
    """The njs modules by file name; `frontdoor.js` is the one that nginx imports."""
    modules = sorted(_NGINX.joinpath("njs").iterdir(), key=lambda file: file.name)
    return {file.name: file.read_text(encoding="utf-8") for file in modules if file.name.endswith(".js")}


def scripts_digest() -> str:
    """SHA-256 of the njs modules, which nginx reads only when it starts: a changed one has to roll the pods."""
    return sha256("".join(f"{name}\n{text}" for name, text in scripts().items()).encode()).hexdigest()


def _joined(text: str) -> str:
    return _INCLUDE.sub(lambda found: indent(_part(found[2]), found[1]), text)


def _part(name: str) -> str:
    return _joined(_NGINX.joinpath("conf", name).read_text(encoding="utf-8"))
