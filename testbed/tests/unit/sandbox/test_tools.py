import json
import re

import pytest

from testbed.clients import installation as clients
from testbed.clients import renovate
from testbed.sandbox import tools
from testbed.sandbox.tools import Tool


@pytest.mark.parametrize("tool", [*tools.TOOLS, *clients.TOOLS, *clients.BUILDKIT], ids=lambda tool: tool.name)
def test_every_tool_is_pinned_in_its_module(tool: Tool) -> None:
    text = (tool.module / "go.mod").read_text()

    assert re.search(rf"^\s*(tool )?{re.escape(tool.package)}$", text, re.MULTILINE)


def test_the_version_stamped_into_kubernetes_is_the_one_that_is_pinned() -> None:
    text = (tools.MODULES / "go.mod").read_text()

    assert f"k8s.io/kubernetes {tools.KUBERNETES_VERSION}\n" in text.replace(" // indirect", "")


def test_every_package_of_renovate_is_locked_by_its_hash_and_for_any_mirror_of_npm() -> None:
    lock = json.loads((renovate.PACKAGE / "package-lock.json").read_text("utf-8"))
    packages = [package for name, package in lock["packages"].items() if name]

    assert len(packages) > 600
    assert [package for package in packages if not package["integrity"].startswith("sha512-")] == []
    assert [package for package in packages if "resolved" in package] == []
