"""An operator's own checkout, or fork: a copy of what a deployment is made of, open to edits."""

import shutil
from pathlib import Path

from testbed.sandbox.deployment.cdk import ROOT

_FOLDERS = ("lambda_fn", "stacks", "k8s_manifests", "cli")
_FILES = ("app.py", "cdk.json")
_TEMPLATE = Path("k8s_manifests", "nginx", "nginx.conf.j2")


def copy(folder: Path) -> Path:
    """Copy this checkout's sources into `folder`, which is not there yet; returns it."""
    for name in _FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in _FILES:
        shutil.copy(ROOT / name, folder / name)
    return folder


def edit_template(checkout: Path, line: str) -> None:
    """Add a line at the end of the nginx template."""
    template = checkout / _TEMPLATE
    template.write_text(f"{template.read_text().rstrip()}\n{line}\n")
