"""The parts of a release, from a tag."""

import subprocess
import tarfile
import tomllib
from pathlib import Path

import pytest

from scripts import release

PROJECT = '[project]\nname = "x"\nversion = "0.2.0"\n'
CHANGELOG = """\
# Changelog

## [Unreleased]

## [0.2.0] - 2026-12-01

### Added

- A page.

## [0.1.0] - 2026-11-25

- All of it.
"""


def test_the_tag_and_the_project_agree_on_the_version() -> None:
    assert release.version_of("v0.2.0", PROJECT) == "0.2.0"


@pytest.mark.parametrize(
    ("tag", "message"), [("v0.3.0", "pyproject.toml has the version 0.2.0"), ("0.2.0", "name it v1.2.3")]
)
def test_a_tag_that_is_not_the_version_is_refused(tag: str, message: str) -> None:
    with pytest.raises(release.ReleaseError, match=message):
        release.version_of(tag, PROJECT)


def test_the_metrics_name_the_version_of_the_project() -> None:
    module = (release.ROOT / release.VERSION_MODULE).read_text("utf-8")
    version = tomllib.loads((release.ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    release.check_metrics(module, version)
    with pytest.raises(release.ReleaseError, match=r"version\.js does not have the version 0\.9\.0"):
        release.check_metrics(module, "0.9.0")


def test_the_notes_are_the_section_of_the_version() -> None:
    assert release.notes(CHANGELOG, "0.2.0") == "### Added\n\n- A page.\n"
    assert release.notes(CHANGELOG, "0.1.0") == "- All of it.\n"


def test_the_notes_of_a_release_have_whole_lines_and_links_to_the_files_of_the_tag() -> None:
    text = (
        "- A page\n  ([0039](docs/decisions/0039-the-page.md)), [all](https://a.example) of [it](#removed).\n- More.\n"
    )
    workflow = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "team/door"}
    assert release.for_a_release(text, release.files_of("v0.2.0", workflow)) == (
        "- A page ([0039](https://github.com/team/door/blob/v0.2.0/docs/decisions/0039-the-page.md)), "
        "[all](https://a.example) of [it](#removed).\n- More.\n"
    )
    assert "](docs/decisions/" in release.for_a_release(text, release.files_of("v0.2.0", {}))


@pytest.mark.parametrize(
    "changelog", [CHANGELOG.replace("[0.2.0] - 2026-12-01", "[0.2.0]"), CHANGELOG.replace("### Added\n\n- A page.", "")]
)
def test_a_version_without_a_dated_section_is_refused(changelog: str) -> None:
    with pytest.raises(release.ReleaseError, match=r"CHANGELOG\.md"):
        release.notes(changelog, "0.2.0")


def test_the_archive_has_what_is_committed_and_the_same_bytes_each_time(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "app.py").write_text("committed")
    git = ["git", "-C", str(work), "-c", "user.name=a", "-c", "user.email=a@example.net"]
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message=one"]):
        subprocess.run([*git, *words], check=True)  # noqa: S603 - our own words
    (work / "notes.txt").write_text("not committed")
    first = release.archive("0.2.0", tmp_path, root=work)
    content = first.read_bytes()
    assert release.archive("0.2.0", tmp_path, root=work).read_bytes() == content
    with tarfile.open(first) as tar:
        assert [member.name for member in tar if member.isfile()] == ["ecr-frontdoor-0.2.0/app.py"]
    assert release.sums([first]).endswith("  ecr-frontdoor-0.2.0.tar.gz\n")
