"""Check what is deployed with checkov and kube-score: `python scripts/scan.py`.

checkov reads the reviewed templates and the manifests of the examples, kube-score the manifests. `scan.toml` beside
this file accepts findings, each with its reason and the objects that have it. A finding that it does not name is an
error, and so is an entry without a finding, so the list only shrinks. Neither tool asks a service of the internet; the
first run builds kube-score, whose source comes from the Go module proxy.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
ACCEPTED = ROOT / "scripts/scan.toml"
CHECKOV = ROOT / ".venv/checkov/bin/checkov"
_LOGICAL_ID = re.compile(r"(?<=\w)[0-9A-F]{8}$")
"""The digest that CDK writes behind the path of a construct."""
_GRADE_OK = 10
"""https://github.com/zegl/kube-score/blob/master/scorecard/scorecard.go"""

Finding = tuple[str, str, str]
"""Tool, id of the check, name of the object."""


class ScanError(Exception):
    """A tool did not run, or its answer or the list of accepted findings cannot be used."""


def accepted(rules: Mapping[str, Any]) -> set[Finding]:
    """The accepted findings.

    Raises:
        ScanError: An entry has no reason or no objects; names it.
    """
    found = set()
    for tool, checks in rules.items():
        for check, entry in checks.items():
            if not entry.get("reason") or not entry.get("objects"):
                raise ScanError(f"scripts/scan.toml: [{tool}.{check}] needs a reason and objects")
            found |= {(tool, check, name) for name in entry["objects"]}
    return found


def faults(found: set[Finding], allowed: set[Finding]) -> list[str]:
    """What is wrong, a line each: findings that are not accepted, and accepted ones that were not found."""
    new = [
        f"{tool}: {name} fails {check}: change it, or accept it with a reason in scripts/scan.toml"
        for tool, check, name in sorted(found - allowed)
    ]
    unused = [
        f"{tool}: {name} does not fail {check}: remove it from scripts/scan.toml"
        for tool, check, name in sorted(allowed - found)
    ]
    return [*new, *unused]


def of_checkov(answer: str) -> set[Finding]:
    """The findings in the output of `checkov --output json`.

    Raises:
        ScanError: It checked nothing in one of the frameworks, or is not JSON.
    """
    reports = _json("checkov", answer)
    found = set()
    for report in reports if isinstance(reports, list) else [reports]:
        summary = report.get("summary", report)
        if not summary.get("passed") or summary.get("parsing_errors"):
            raise ScanError(f"checkov could not check all files: {summary}")
        for check in report["results"]["failed_checks"]:
            name = check["resource"].rsplit(".", 1)[-1]
            found.add(("checkov", check["check_id"], _LOGICAL_ID.sub("", name)))
    return found


def of_kube_score(answer: str) -> set[Finding]:
    """The findings in the output of `kube-score score --output-format json --output-version v2`.

    Raises:
        ScanError: It checked nothing, or is not JSON.
    """
    objects = _json("kube-score", answer)
    if not objects:
        raise ScanError("kube-score checked no object")
    return {
        ("kube-score", check["check"]["id"], entry["object_meta"]["name"])
        for entry in objects
        for check in entry["checks"]
        if not check["skipped"] and check["grade"] < _GRADE_OK
    }


def main() -> int:
    """Print the faults; returns 1 when there is any."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            manifests = [_manifest(example, Path(folder)) for example in sorted(ROOT.glob("examples/*.toml"))]
            templates = sorted(ROOT.glob("tests/template/reference/*.template.json"))
            found = of_checkov(_checkov([*templates, *manifests])) | of_kube_score(_kube_score(manifests))
        wrong = faults(found, accepted(tomllib.loads(ACCEPTED.read_text("utf-8"))))
    except ScanError as error:
        wrong = [str(error)]
    print("\n".join(wrong) or f"checkov and kube-score: {len(found)} findings, each accepted with its reason")
    return 1 if wrong else 0


def _manifest(example: Path, folder: Path) -> Path:
    path = folder / f"{example.stem}.yaml"
    path.write_text(run([sys.executable, "-m", "cli.command", "manifests", "--config", example]), encoding="utf-8")
    return path


def _checkov(files: Iterable[Path]) -> str:
    if not CHECKOV.exists():
        raise ScanError(f"{CHECKOV.relative_to(ROOT)} is not installed. Fix: run `make scan`, which installs it")
    options = ["--framework", "cloudformation", "kubernetes", "--skip-download", "--quiet", "--output", "json"]
    for file in files:
        options += ["--file", str(file)]
    return run([CHECKOV, *options], failed=1)


def _kube_score(files: Iterable[Path]) -> str:
    go = Path(sys.executable).with_name("go")
    if not go.exists():
        raise ScanError(f"{go} is not installed. Fix: install the development requirements (requirements-dev.txt)")
    command: list[str | Path] = [go, "-C", ROOT / "scripts/tools", "tool", "kube-score", "score"]
    return run([*command, "--output-format", "json", "--output-version", "v2", *files], failed=1)


def run(command: Sequence[str | Path], *, failed: int = 0) -> str:
    """The standard output of a program.

    Args:
        command: The program and its arguments.
        failed: The exit status by which the program reports findings.

    Raises:
        ScanError: It ended with another status, or wrote no findings; has the end of its error messages.
    """
    go = {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "CGO_ENABLED": "0"}
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **go}, capture_output=True, text=True, check=False)  # noqa: S603 - the arguments are this file's
    if done.returncode not in {0, failed} or not done.stdout.strip():
        raise ScanError(f"{Path(command[0]).name} ended with status {done.returncode}: {done.stderr[-1000:].strip()}")
    return done.stdout


def _json(tool: str, answer: str) -> Any:  # noqa: ANN401 - whatever the tool wrote
    try:
        return json.loads(answer)
    except json.JSONDecodeError as error:
        raise ScanError(f"{tool} wrote no JSON: {answer[:200]!r}") from error


if __name__ == "__main__":
    sys.exit(main())
