"""Helm, which pulls charts."""

from collections.abc import Sequence
from pathlib import Path

from testbed.clients.client import CopyingClient
from testbed.clients.enclosure import HOME, Outcome


class Helm(CopyingClient):
    """Helm. A reference is that of a chart; one without a tag or digest asks for the latest version."""

    name = "helm"

    def pulling(self, reference: str) -> Sequence[str | Path]:
        """See `Client`."""
        (self.enclosure.folder / self.target.name).mkdir(exist_ok=True)
        repository, _, version = ("", "", "") if "@" in reference else reference.rpartition(":")
        if "/" in version or not repository:
            return ("helm", "pull", f"oci://{reference}", "--destination", self.target)
        return ("helm", "pull", f"oci://{repository}", "--version", version, "--destination", self.target)

    def push(self, chart: str, version: str, folder: str) -> Outcome:
        """Package an empty chart and push it below `HOST/FOLDER`."""
        source = self.enclosure.folder / chart
        (source / "templates").mkdir(parents=True, exist_ok=True)
        (source / "Chart.yaml").write_text(f"apiVersion: v2\nname: {chart}\nversion: {version}\n")
        packaged = self.enclosure.run("helm", "package", HOME / chart, "--destination", HOME)
        if not packaged.succeeded:
            return packaged
        return self.enclosure.run("helm", "push", HOME / f"{chart}-{version}.tgz", f"oci://{folder}")
