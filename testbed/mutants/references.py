"""What the product produces for reference settings, and whether a mutant changes it. No part has to run for that."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from k8s_manifests import proxy_documents
from k8s_manifests.configuration import template
from lambda_fn.job import configuration
from lambda_fn.settings import Settings, parse_toml
from testbed.mutants.mutant import Mutant
from testbed.mutants.part import MutantError

_SETTINGS = """
    domain = "registry.example.com"
    cluster = { name = "shared", region = "eu-west-1" }
    [[registries]]
    account = "123456789012"
    region = "eu-west-1"
    repositories = ["team/*", "base"]
    [[registries]]
    account = "210987654321"
    region = "us-east-1"
    repositories = ["other/*", "team/special/*"]
    [[registries]]
    account = "123456789012"
    region = "eu-west-1"
    repositories = ["images/*", "images/x*-prod"]
    strip = "images/"
    prefix = "platform/images/"
    renames = { "tools" = "platform/tools" }
    [[registries]]
    account = "210987654321"
    region = "us-east-1"
    repositories = ["images/*-own"]
    [proxy]
    resolver = "10.0.0.10"
"""
_MIRROR = """
    [[registries]]
    account = "123456789012"
    region = "eu-west-1"
    repositories = ["docker-hub/*"]
    pull_through = true
    upstream = "docker.io"
"""
_USED_LOCATION = re.compile(r"\berror_page [^;]*(@\w+);")
_DEFINED_LOCATION = re.compile(r"\blocation (@\w+) ")
_VARIANTS = (
    'blobs = "stream"\n[proxy.exposure]\nkind = "pod"\ntls_secret = "registry-tls"',
    'blobs = "redirect"\n[proxy.exposure]\nkind = "service"',
    '[proxy.exposure]\nkind = "nlb"\ntls_secret = "registry-tls"\nsubnets = { subnet-12345678 = "10.1.0.0/24" }',
    '[proxy.exposure]\nkind = "service"\ntrusted_proxies = ["10.1.0.0/24"]',
    'monitoring_namespace = "monitoring"\n[proxy.exposure]\nkind = "service"',
    '[proxy.exposure]\nkind = "service"\n[page]\ncatalogue = true',
    (
        '[proxy.exposure]\nkind = "service"\n[[registries]]\naccount = "321098765432"\nregion = "us-east-1"\n'
        'repositories = ["replicated/*"]\nreplicas = [{ account = "321098765432", region = "eu-west-1" }]'
    ),
    f'[proxy.exposure]\nkind = "service"\n{_MIRROR}',
)


@dataclass(frozen=True)
class Product:
    """The objects of the charts, and the configuration that the Lambda renders from the template among them."""

    objects: Sequence[Mapping[str, Any]]
    configuration: str


@cache
def products() -> tuple[Product, ...]:
    """One for each variant."""
    return tuple(_product(parse_toml(_SETTINGS + variant, "a reference")) for variant in _VARIANTS)


def unfit(mutant: Mutant) -> str | None:
    """The reason why a mutant does not fit: an edit of it changes no product, or is ambiguous in one."""
    try:
        idle = [edit for edit in mutant.edits if not _changes(mutant.model_copy(update={"edits": (edit,)}))]
        if len(mutant.edits) > 1:
            _changes(mutant)
    except MutantError as error:
        return f"{mutant.rule} ({mutant.removed}): {error}"
    return f"{mutant.rule} ({mutant.removed}): nothing of the product changes by {idle}" if idle else None


def _changes(mutant: Mutant) -> bool:
    """Whether any product changes.

    Raises:
        MutantError: An edit is ambiguous, or leads to a named location that does not exist.
    """
    changed = False
    for product in products():
        text = mutant.configuration(product.configuration)
        if unknown := set(_USED_LOCATION.findall(text)) - set(_DEFINED_LOCATION.findall(text)):
            raise MutantError(f"no location is called {sorted(unknown)}")
        changed |= text != product.configuration or mutant.objects(product.objects) != list(product.objects)
    return changed


def _product(settings: Settings) -> Product:
    hosts = tuple(f"{entry.account}.dkr.ecr.{entry.region}.amazonaws.com" for entry in settings.registries)
    text = configuration.rendered(settings, hosts, settings.proxy.resolver or "", template())
    return Product(proxy_documents(settings), text)
