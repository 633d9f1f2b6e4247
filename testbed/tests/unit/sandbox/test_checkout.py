"""A copy of the sources that a deployment is made of."""

from pathlib import Path

from testbed.sandbox.deployment import checkout
from testbed.sandbox.deployment.cdk import ROOT


def test_a_copy_has_what_is_deployed_and_an_edit_of_it_is_its_own(tmp_path: Path) -> None:
    copied = checkout.copy(tmp_path / "checkout")
    checkout.edit_template(copied, "# mine")
    template = Path("k8s_manifests/nginx/nginx.conf.j2")
    assert (copied / template).read_text().endswith("\n# mine\n")
    assert (copied / template).read_text().startswith((ROOT / template).read_text().rstrip())
    assert "# mine" not in (ROOT / template).read_text()
    for name in (
        "app.py",
        "cdk.json",
        "cli/command.py",
        "lambda_fn/requirements.txt",
        "stacks/frontdoor_stack.py",
    ):
        assert (copied / name).read_bytes() == (ROOT / name).read_bytes()
