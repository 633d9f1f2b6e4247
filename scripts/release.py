"""What a release consists of, from a tag: `python -m scripts.release v0.2.0`.

It writes to dist/ the source archive, the bill of materials of the Lambda's bundle, their SHA-256 sums, and the notes,
which are the version's section of CHANGELOG.md. All but the bill comes from the tag's commit, which has to be checked
out. The tag, pyproject.toml, CHANGELOG.md and the module of the metrics have to agree on the version.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAME = "ecr-frontdoor"
VERSION_MODULE = "k8s_manifests/nginx/njs/version.js"
"""What the metrics of a pod have the version from."""
_TAG = re.compile(r"v(\d+\.\d+\.\d+)")
_HEADING = re.compile(r"^## \[", re.MULTILINE)


class ReleaseError(Exception):
    """The tag cannot be released; the message has the fix."""


def version_of(tag: str, project: str) -> str:
    """The version of a tag, which is that of the project.

    Args:
        tag: Such as `v0.2.0`.
        project: The text of pyproject.toml.

    Raises:
        ReleaseError: They differ.
    """
    found = _TAG.fullmatch(tag)
    if not found:
        raise ReleaseError(f"{tag} is not the tag of a release. Fix: name it v1.2.3")
    declared = str(tomllib.loads(project)["project"]["version"])
    if declared != found[1]:
        raise ReleaseError(
            f"{tag}: pyproject.toml has the version {declared}. Fix: set it to {found[1]}, and tag again"
        )
    return declared


def check_metrics(module: str, version: str) -> None:
    """Check that the metrics name the version, too.

    Args:
        module: The text of `VERSION_MODULE`.
        version: That of the project.

    Raises:
        ReleaseError: They name another one.
    """
    if f"VERSION: '{version}'" not in module:
        raise ReleaseError(f"{VERSION_MODULE} does not have the version {version}. Fix: set it there, and tag again")


def notes(changelog: str, version: str) -> str:
    """The section of a version.

    Raises:
        ReleaseError: There is none, it has no date, or nothing is in it; or Unreleased has entries.
    """
    if re.search(r"^[^#\s]", _section(changelog, r"^## \[Unreleased\]$") or "", re.MULTILINE):
        raise ReleaseError(
            f"CHANGELOG.md has entries under Unreleased. Fix: move them to the section of {version}, and tag again"
        )
    section = _section(changelog, rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$")
    if section is None:
        raise ReleaseError(f"CHANGELOG.md has no heading '## [{version}] - YYYY-MM-DD'. Fix: give Unreleased that name")
    if not section:
        raise ReleaseError(f"CHANGELOG.md says nothing of {version}. Fix: write what is new")
    return f"{section}\n"


def _section(changelog: str, heading: str) -> str | None:
    """What is under a heading; None where there is no such heading."""
    found = re.search(heading, changelog, re.MULTILINE)
    return _HEADING.split(changelog[found.end() :], maxsplit=1)[0].strip() if found else None


def for_a_release(text: str, files: str) -> str:
    """The notes as the page of a release shows them: it breaks lines where the text does, and has no files beside it.

    Args:
        text: The notes.
        files: The address of the repository's files at the tag; empty where it is not known.
    """
    whole = re.sub(r"\n {2,}", " ", text)
    return re.sub(r"\]\((?!https?:|#)", f"]({files}/", whole) if files else whole


def files_of(tag: str, environment: Mapping[str, str]) -> str:
    """The address of the repository's files at a tag, in a workflow of GitHub; elsewhere empty.

    https://docs.github.com/en/actions/reference/workflows-and-actions/variables
    """
    repository = environment.get("GITHUB_REPOSITORY")
    return f"{environment['GITHUB_SERVER_URL']}/{repository}/blob/{tag}" if repository else ""


def commit_of(tag: str, *, root: Path = ROOT) -> str:
    """The commit of a tag.

    Raises:
        ReleaseError: There is no such tag, or another commit is checked out.
    """
    try:
        tagged = _git(root, "rev-parse", "--quiet", "--verify", f"refs/tags/{tag}^{{commit}}").strip()
    except subprocess.CalledProcessError as error:
        raise ReleaseError(f"there is no tag {tag}. Fix: git tag {tag}") from error
    head = _git(root, "rev-parse", "HEAD").strip()
    if head != tagged:
        raise ReleaseError(f"{tag} is commit {tagged}, and {head} is checked out. Fix: git switch --detach {tag}")
    return tagged


def text_of(commit: str, path: str, *, root: Path = ROOT) -> str:
    """A file of a commit."""
    return _git(root, "show", f"{commit}:{path}")


def archive(commit: str, version: str, folder: Path, *, root: Path = ROOT) -> Path:
    """What git has at a commit, as a tar.gz: the same commit gives the same bytes.

    https://git-scm.com/docs/git-archive : entries have the commit's time, and git's own gzip writes none.
    """
    path = folder / f"{NAME}-{version}.tar.gz"
    _git(root, "archive", f"--prefix={NAME}-{version}/", f"--output={path}", commit)
    return path


def _git(root: Path, *words: str) -> str:
    git = [shutil.which("git") or "git", "-C", str(root)]
    return subprocess.run([*git, *words], check=True, stdout=subprocess.PIPE, text=True, encoding="utf-8").stdout  # noqa: S603 - our own words


def sums(files: list[Path]) -> str:
    """The files' sums, as `sha256sum --check` reads them."""
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)


def main() -> int:
    """Write everything."""
    parser = argparse.ArgumentParser(prog="python -m scripts.release", description=__doc__)
    parser.add_argument("tag", help="such as v0.2.0")
    parser.add_argument("--sbom", type=Path, default=ROOT / "sbom.json", help="what `make sbom` wrote (%(default)s)")
    parser.add_argument("--output", type=Path, default=ROOT / "dist", metavar="FOLDER")
    parser.add_argument("--root", type=Path, default=ROOT, metavar="FOLDER", help="the repository (%(default)s)")
    arguments = parser.parse_args()
    try:
        commit = commit_of(arguments.tag, root=arguments.root)
        pyproject, module, changelog = (
            text_of(commit, path, root=arguments.root) for path in ("pyproject.toml", VERSION_MODULE, "CHANGELOG.md")
        )
        version = version_of(arguments.tag, pyproject)
        check_metrics(module, version)
        text = notes(changelog, version)
    except ReleaseError as error:
        sys.stderr.write(f"release: {error}\n")
        return 1
    arguments.output.mkdir(exist_ok=True)
    described = arguments.output / f"{NAME}-{version}.cdx.json"
    shutil.copyfile(arguments.sbom, described)
    files = [archive(commit, version, arguments.output, root=arguments.root), described]
    (arguments.output / "SHA256SUMS").write_text(sums(files))
    shown = for_a_release(text, files_of(arguments.tag, os.environ))
    (arguments.output / "NOTES.md").write_text(shown, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
