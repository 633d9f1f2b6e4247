"""Writes the generated blocks of docs/rbac.md from the charts' Roles (`make docs`); a test compares them."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

from lambda_fn.settings import Settings
from testbed.generated import filled
from tests.template import configurations
from tests.template.charts import INGRESS, NLB, NLB_AUTO_MODE, POD, SERVICE, find, settings

DOCUMENT = configurations.ROOT / "docs" / "rbac.md"
REASONS = Path(__file__).with_name("rbac_reasons.toml")
REFRESHER = "aws-registry-proxy-refresher"
WATCHER = "aws-registry-proxy-watcher"
DEPLOYER = "aws-registry-proxy-deployer"

_EXPOSURES = (INGRESS, NLB, NLB_AUTO_MODE, POD, SERVICE)

_PART = re.compile(r"catalogue-(?:index|\d\d)$")


class Permission(NamedTuple):
    """One permission of a Role; `name` is None where it holds for any object."""

    verb: str
    group: str
    resource: str
    name: str | None


def permissions(of: Settings, role: str) -> Iterator[Permission]:
    """The permissions of a Role, in its order."""
    for rule in find("Role", of, name=role)["rules"]:
        names = rule.get("resourceNames") or [None]
        for group, resource, name, verb in product(rule["apiGroups"], rule["resources"], names, rule["verbs"]):
            yield Permission(verb, group, resource, name)


def blocks() -> dict[str, str]:
    """The table of each Role: a row for a permission of a Lambda, and for a resource of the deployment.

    Raises:
        KeyError: rbac_reasons.toml has no reason for a row.
    """
    return {
        "refresher": _of_function(REFRESHER, reasons()["refresher"]),
        "watcher": _of_function(WATCHER, reasons()["watcher"]),
        "deployer": _deployer(reasons()["deployer"]),
    }


def reasons() -> dict[str, dict[str, str]]:
    """By Role, and by `key` of a permission of a Lambda or by resource of the deployment."""
    return tomllib.loads(REASONS.read_text(encoding="utf-8"))


def key(permission: Permission) -> str:
    """What a permission is called in rbac_reasons.toml."""
    return f"{permission.verb} {permission.resource} {_shown(permission.name)}"


def deployer() -> list[Permission]:
    """What the deployer's Role allows with any kind of exposure."""
    kinds = [settings(exposure, manifests="namespaced") for exposure in _EXPOSURES]
    return list(dict.fromkeys(permission for of in kinds for permission in permissions(of, DEPLOYER)))


def _of_function(role: str, why: Mapping[str, str]) -> str:
    found = permissions(settings(more="[page]\ncatalogue = true"), role)
    return _table(
        ("verb", "API group", "resource", "name", "why"),
        dict.fromkeys((p.verb, p.group or "core", p.resource, _named(p.name), why[key(p)]) for p in found),
    )


def _deployer(why: Mapping[str, str]) -> str:
    found = deployer()
    rows = []
    for group, resource in dict.fromkeys((p.group, p.resource) for p in found):
        those = [p for p in found if (p.group, p.resource) == (group, resource)]
        names = ", ".join(dict.fromkeys(_named(p.name) for p in those if p.name))
        verbs = ", ".join(dict.fromkeys(p.verb for p in those))
        rows.append((resource, group or "core", names, verbs, why[resource]))
    return _table(("resource", "API group", "name", "verbs", "why"), rows)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (heads, ["---"] * len(heads), *rows)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _named(name: str | None) -> str:
    return "(any)" if name is None else f"`{_shown(name)}`"


def _shown(name: str | None) -> str:
    """The setting whose default a name is, or the name itself."""
    fields = {value: f"names.{field}" for field, value in settings().names.model_dump().items()}
    return "any" if name is None else fields.get(name, _PART.sub("catalogue-*", name))


if __name__ == "__main__":
    DOCUMENT.write_text(filled(DOCUMENT.read_text(encoding="utf-8"), blocks()), encoding="utf-8")
