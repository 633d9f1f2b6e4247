"""Writes the generated blocks of docs/permissions.md (`make docs`); a test compares them with the document."""

from testbed.generated import filled
from tests.template import configurations, deployment_permissions, role_permissions

DOCUMENT = configurations.ROOT / "docs" / "permissions.md"


def blocks() -> dict[str, str]:
    """Every block by its name: the tables of the roles and resource policies, and those of a deployment."""
    found = role_permissions.tables(role_permissions.entries(), role_permissions.reasons())
    return found | {"deployment": deployment_permissions.generated()}


if __name__ == "__main__":
    DOCUMENT.write_text(filled(DOCUMENT.read_text(encoding="utf-8"), blocks()), encoding="utf-8")
