"""What the Lambda's group may do, verb by verb, and what the namespace allows."""

import re
from itertools import product
from pathlib import Path

from tests.template.charts import find, settings

RBAC = Path(__file__).parents[2] / "docs" / "rbac.md"
GROUPS = {"core": "", "apps": "apps"}

Permission = tuple[str, str, str, str | None]


def given() -> set[Permission]:
    """(verb, API group, resource, name) of each permission in the Role; None is any name."""
    return {
        permission
        for rule in find("Role", settings())["rules"]
        for permission in product(
            rule["verbs"], rule["apiGroups"], rule["resources"], rule.get("resourceNames") or [None]
        )
    }


def documented() -> set[Permission]:
    """The same from the table in docs/rbac.md."""
    names = settings().names
    found: set[Permission] = set()
    for line in RBAC.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and cells[1] in GROUPS:
            verb, group, resource, name, _ = cells
            field = re.fullmatch(r"`names\.(\w+)`", name)
            found.add((verb, GROUPS[group], resource, getattr(names, field[1]) if field else None))
    return found


def test_the_role_gives_what_a_refresh_needs_and_nothing_more() -> None:
    assert given() == {
        ("get", "", "configmaps", "aws-registry-proxy-tpl"),
        ("get", "", "configmaps", "aws-registry-proxy-config"),
        ("patch", "", "configmaps", "aws-registry-proxy-config"),
        ("create", "", "configmaps", None),
        ("get", "", "secrets", "aws-registry"),
        ("patch", "", "secrets", "aws-registry"),
        ("create", "", "secrets", None),
        ("get", "apps", "deployments", "aws-registry-proxy"),
        ("patch", "apps", "deployments", "aws-registry-proxy"),
        ("list", "", "pods", None),
        ("get", "", "pods/log", None),
    }


def test_the_document_for_reviewers_lists_exactly_the_role() -> None:
    assert documented() == given()


def test_the_role_belongs_to_the_group_of_the_access_entry() -> None:
    found = settings(more='[names]\ngroup = "platform:registry"')
    binding = find("RoleBinding", found)
    assert binding["subjects"] == [
        {"kind": "Group", "name": "platform:registry", "apiGroup": "rbac.authorization.k8s.io"}
    ]
    assert binding["roleRef"]["name"] == find("Role", found)["metadata"]["name"] == "aws-registry-proxy-refresher"


def test_the_role_follows_the_names_of_the_objects() -> None:
    renamed = settings(more='[names]\nsecret = "other"\nworkload = "door"\nconfig_map = "conf"')
    named = {name for rule in find("Role", renamed)["rules"] for name in rule.get("resourceNames", [])}
    assert named == {"other", "door", "conf", "aws-registry-proxy-tpl"}


def test_the_namespace_refuses_pods_below_restricted() -> None:
    labels = find("Namespace", settings())["metadata"]["labels"]
    security = {k: v for k, v in labels.items() if k.startswith("pod-security.kubernetes.io/")}
    assert security == {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
