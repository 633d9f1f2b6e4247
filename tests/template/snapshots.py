"""The reviewed files of each example: its CloudFormation template and its nginx configuration.

`make snapshots` writes them, a test compares them.
"""

import copy
import json
import re
import sys
from collections.abc import Mapping
from difflib import unified_diff
from pathlib import Path
from typing import Any

from k8s_manifests.configuration import template as nginx_template
from lambda_fn.job.configuration import rendered
from tests.template import configurations
from tests.template.synthesis import plain, template

FOLDER = Path(__file__).parent / "reference"
NAMES = tuple(path.stem for path in sorted(configurations.EXAMPLES.glob("*.toml")))
TEMPLATE, CONFIGURATION = "template.json", "nginx.conf"
HOST = "{}.dkr.ecr.{}.amazonaws.com"
_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")
_VERSION = re.compile(r"(CurrentVersion[0-9A-F]{8})[0-9a-f]{32}")
_MANIFEST = "Custom::AWSCDK-EKS-KubernetesResource"


def path(name: str, kind: str = TEMPLATE) -> Path:
    return FOLDER / f"{name}.{kind}"


def snapshot(name: str) -> str:
    """The template for review: without digests of code, and with the Kubernetes objects as objects and not as text."""
    kept = ("Conditions", "Description", "Outputs", "Parameters", "Resources")
    found = {key: copy.deepcopy(template(name)[key]) for key in kept if key in template(name)}
    for resource in found["Resources"].values():
        resource.pop("Metadata", None)
        if resource["Type"] == _MANIFEST:
            resource["Properties"]["Manifest"] = _readable(resource["Properties"]["Manifest"])
    text = json.dumps(found, indent=2, sort_keys=True)
    return _VERSION.sub(r"\1VERSION", _DIGEST.sub("DIGEST", text)) + "\n"


def _readable(manifest: Any) -> list[Mapping[str, Any]]:  # noqa: ANN401 - text, or an expression that makes text
    """The objects; a reference that CloudFormation resolves is written as `${LoadBalancerPods}`."""
    return [_in_short(item) for item in json.loads(plain(manifest))]


def _in_short(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object without the texts of a ConfigMap, which have tests and diffs of their own."""
    if item["kind"] != "ConfigMap":
        return item
    return {**item, "data": dict.fromkeys(item.get("data", {}), "TEXT")}


def nginx_configuration(name: str) -> str:
    """The configuration that the Lambda renders for an example, with a resolver as EKS has it."""
    settings = configurations.parse(configurations.text(name))
    hosts = tuple(HOST.format(entry.account, entry.region) for entry in settings.registries)
    return rendered(settings, hosts, "172.20.0.10", nginx_template())


PRODUCED = {TEMPLATE: snapshot, CONFIGURATION: nginx_configuration}
"""The function that produces each kind of reviewed file."""


def difference(name: str, kind: str = TEMPLATE) -> str:
    """A unified diff from the reviewed file to the produced one; empty if they are equal."""
    file = path(name, kind)
    reviewed = file.read_text(encoding="utf-8") if file.exists() else ""
    before, now = reviewed.splitlines(keepends=True), PRODUCED[kind](name).splitlines(keepends=True)
    return "".join(unified_diff(before, now, fromfile=f"{file.name}, reviewed", tofile="produced now"))


def main() -> int:
    """Write every file, and print which of them changed."""
    for kind, produce in PRODUCED.items():
        for name in NAMES:
            changed = difference(name, kind)
            path(name, kind).write_text(produce(name), encoding="utf-8")
            print(f"{path(name, kind).name}: {'changed, review it with git diff' if changed else 'unchanged'}")  # noqa: T201 - a command-line tool
    return 0


if __name__ == "__main__":
    sys.exit(main())
