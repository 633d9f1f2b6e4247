"""The files of the page that a browser shows at the domain, as a ConfigMap."""

import re
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from lightkube.resources.core_v1 import ConfigMap

from k8s_manifests.objects import Place
from lambda_fn.contract.objects import page_config_map
from lambda_fn.settings.page import Page

_PAGE = files("k8s_manifests").joinpath("page")
_INDEX = "index.html"
_OF_CATALOGUE = ("catalogue.js", "repositories.js", "repository.js")
"""Modules that a page without a catalogue does not load."""
_ENTRY = "page.js"
_ADDRESS = re.compile(r"https?://\S+")
_MAILBOX = re.compile(r"[\w.!#%&*+/=?^{|}~-]+@[\w.-]+", re.ASCII)


def page_config_maps(place: Place, *, domain: str, contact: str | None, page: Page) -> list[ConfigMap]:
    """The ConfigMap that the pods mount; none where there is no page."""
    if not page.enabled:
        return []
    data = page_files(domain=domain, contact=contact, catalogue=page.catalogue)
    return [ConfigMap(metadata=place.metadata(page_config_map(place.workload)), data=data)]


def page_files(*, domain: str, contact: str | None, catalogue: bool) -> dict[str, str]:
    """The text of each file by its name. In the HTML, every value of the settings is escaped."""
    assets = sorted((file for file in _PAGE.iterdir() if file.name != _INDEX), key=lambda file: file.name)
    texts = {file.name: file.read_text(encoding="utf-8") for file in assets}
    if not catalogue:
        texts = {name: text for name, text in texts.items() if name not in _OF_CATALOGUE}
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    index = environment.from_string(_PAGE.joinpath(_INDEX).read_text(encoding="utf-8")).render(
        domain=domain,
        contact=contact,
        contact_link=contact_link(contact or ""),
        catalogue=catalogue,
        modules=[name for name in texts if name.endswith(".js") and name != _ENTRY],
    )
    return {_INDEX: index, **texts}


def contact_link(contact: str) -> str | None:
    """Where a contact leads that is, as a whole, the address of a web page or a mailbox; None for other texts."""
    if _ADDRESS.fullmatch(contact):
        return contact
    return f"mailto:{contact}" if _MAILBOX.fullmatch(contact) else None
