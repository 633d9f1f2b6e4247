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


@pytest.mark.parametrize("entry", ["### Added\n\n- Another page.\n", "- Another page.\n", "A page.\n"])
def test_entries_that_are_in_no_version_are_refused(entry: str) -> None:
    changelog = CHANGELOG.replace("## [Unreleased]\n", f"## [Unreleased]\n\n{entry}")
    with pytest.raises(release.ReleaseError, match=r"under Unreleased\. Fix: move them to the section of 0\.2\.0"):
        release.notes(changelog, "0.2.0")
    assert release.notes(CHANGELOG.replace("## [Unreleased]\n", "## [Unreleased]\n\n### Added\n"), "0.2.0")


class Repository:
    """A repository whose files are of a version."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        files = {"pyproject.toml": PROJECT, "CHANGELOG.md": CHANGELOG, release.VERSION_MODULE: "VERSION: '0.2.0'"}
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        self.git("init", "--quiet")
        self.commit()

    def git(self, *words: str) -> str:
        git = ["git", "-C", str(self.folder), "-c", "user.name=a", "-c", "user.email=a@example.net"]
        return subprocess.run([*git, *words], check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603 - our own words

    def commit(self) -> str:
        self.git("add", ".")
        self.git("commit", "--quiet", "--allow-empty", "--message=one")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "work")


def made(repository: Repository, tag: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, Path]:
    output, sbom = repository.folder.parent / "dist", repository.folder.parent / "sbom.json"
    sbom.write_text("{}")
    words = ["release", tag, f"--sbom={sbom}", f"--output={output}", f"--root={repository.folder}"]
    monkeypatch.setattr("sys.argv", words)
    return release.main(), output


@pytest.mark.parametrize("words", [["v0.2.0"], ["--annotate", "--message=a", "v0.2.0"]])
def test_a_release_has_what_is_committed_at_the_tag_and_the_same_bytes_each_time(
    words: list[str], repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.git("tag", *words)
    (repository.folder / "notes.txt").write_text("not committed")
    (repository.folder / "CHANGELOG.md").write_text(CHANGELOG.replace("A page", "Not committed"))
    status, output = made(repository, "v0.2.0", monkeypatch)
    archive = output / "ecr-frontdoor-0.2.0.tar.gz"
    content = archive.read_bytes()
    assert status == 0
    assert made(repository, "v0.2.0", monkeypatch)[0] == 0
    assert archive.read_bytes() == content
    assert (output / "NOTES.md").read_text() == "### Added\n\n- A page.\n"
    with tarfile.open(archive) as tar:
        names = [member.name.removeprefix("ecr-frontdoor-0.2.0/") for member in tar if member.isfile()]
    assert sorted(names) == ["CHANGELOG.md", release.VERSION_MODULE, "pyproject.toml"]
    assert (output / "SHA256SUMS").read_text().count("\n") == 2
    assert release.sums([archive]) in (output / "SHA256SUMS").read_text()


def test_a_tag_of_another_commit_than_the_one_that_is_checked_out_is_refused(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tagged = repository.git("rev-parse", "HEAD")
    repository.git("tag", "v0.2.0")
    head = repository.commit()
    status, output = made(repository, "v0.2.0", monkeypatch)
    assert (status, output.exists()) == (1, False)
    message = capsys.readouterr().err
    assert f"v0.2.0 is commit {tagged}, and {head} is checked out" in message


def test_a_tag_that_does_not_exist_is_refused_also_where_a_branch_has_its_name(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.git("branch", "v0.2.0")
    assert made(repository, "v0.2.0", monkeypatch)[0] == 1
    assert "there is no tag v0.2.0. Fix: git tag v0.2.0" in capsys.readouterr().err
