"""The real bundle, built by pip, which needs the network or its cache: so not in the sandbox."""

import ast
import os
import shutil
import stat
import struct
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from lambda_fn.contract.runtime import HANDLER, SETTINGS_FILE
from stacks import bundling
from tests.template import configurations
from tests.template.lock import pinned_for_the_lambda

ELF_AARCH64 = 183
MIB = 2**20
SETTINGS = '{"domain":"registry.example.net"}'


@pytest.fixture(scope="module")
def bundle() -> Path:
    """The bundle of the present sources, from the user's cache if it was built before."""
    return bundling.bundle(SETTINGS)


def files(folder: Path) -> list[Path]:
    return sorted(p.relative_to(folder) for p in folder.rglob("*") if p.is_file())


def test_the_bundle_holds_the_settings_and_only_the_modules_of_the_lambda(bundle: Path) -> None:
    assert (bundle / SETTINGS_FILE).read_text(encoding="utf-8") == SETTINGS
    shipped = {p for p in files(bundle) if p.parts[0] == "lambda_fn"}
    sources = {p.relative_to(configurations.ROOT) for p in (configurations.ROOT / "lambda_fn").rglob("*.py")}
    assert shipped == sources


def test_the_functions_handler_is_in_the_bundle(bundle: Path) -> None:
    module, _, function = HANDLER.rpartition(".")
    tree = ast.parse((bundle / module.replace(".", "/")).with_suffix(".py").read_text(encoding="utf-8"))
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_the_bundle_holds_exactly_the_distributions_pinned_for_linux(bundle: Path) -> None:
    found = [path.name.removesuffix(".dist-info").split("-") for path in bundle.glob("*.dist-info")]
    assert {canonicalize_name(name): version for name, version in found} == pinned_for_the_lambda()


def test_every_compiled_module_is_for_python_3_14_on_arm64(bundle: Path) -> None:
    compiled = [p for p in files(bundle) if ".so" in p.suffixes]
    assert compiled
    for path in compiled:
        (machine,) = struct.unpack_from("<H", (bundle / path).read_bytes(), 18)
        assert machine == ELF_AARCH64, path
        assert ".cpython-314-aarch64-linux-gnu" in path.name or ".abi3." in path.name, path


def test_the_bundle_is_far_below_the_size_limits_of_lambda(bundle: Path, tmp_path: Path) -> None:
    assert sum((bundle / p).stat().st_size for p in files(bundle)) < 100 * MIB  # Lambda: 250 MB
    with zipfile.ZipFile(tmp_path / "bundle.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files(bundle):
            archive.write(bundle / path, path)
    assert (tmp_path / "bundle.zip").stat().st_size < 15 * MIB  # Lambda: 50 MB


def test_the_bundle_does_not_depend_on_the_time_or_folder_of_its_build(bundle: Path) -> None:
    names = {p.name for p in files(bundle)}
    assert names.isdisjoint({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"})
    assert not [p for p in files(bundle) if "__pycache__" in p.parts or p.parts[0] == "bin"]
    checkout = str(configurations.ROOT).encode()
    assert not [p for p in files(bundle) if checkout in (bundle / p).read_bytes()]


def test_two_separate_builds_are_identical(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    other = bundling.bundle(SETTINGS)
    assert other != bundle
    assert files(other) == files(bundle)
    different = [p for p in files(bundle) if (bundle / p).read_bytes() != (other / p).read_bytes()]
    assert different == []


def test_a_lock_that_installs_the_same_makes_other_contents_because_its_digest_is_another(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For another digest CDK makes another version; of equal contents Lambda publishes none, and the stack fails."""
    lock = tmp_path / "requirements.txt"
    lock.write_text(bundling.LOCK.read_text(encoding="utf-8") + "# locked again\n", encoding="utf-8")
    monkeypatch.setattr(bundling, "LOCK", lock)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    other = bundling.bundle(SETTINGS)
    assert other.name != bundle.name
    assert files(other) == files(bundle)
    assert [p for p in files(bundle) if (bundle / p).read_bytes() != (other / p).read_bytes()] == [
        Path("bundle.sha256")
    ]


@pytest.fixture
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    """The umask that the test names."""
    before = os.umask(request.param)
    yield
    os.umask(before)


def modes(bundle: Path) -> set[tuple[bool, str]]:
    """Whether it is a folder, and the mode, of everything in the bundle."""
    return {(path.is_dir(), oct(stat.S_IMODE(path.stat().st_mode))) for path in (bundle, *bundle.rglob("*"))}


@pytest.mark.parametrize("umask", [0o022, 0o077], indirect=True, ids=oct)
@pytest.mark.usefixtures("umask")
def test_lambda_can_read_the_bundle_whatever_the_umask_and_the_modes_of_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "lambda_fn"
    shutil.copytree(bundling.SOURCE, source, copy_function=shutil.copyfile)
    monkeypatch.setattr(bundling, "SOURCE", source)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert modes(bundling.bundle(SETTINGS)) == {(True, "0o755"), (False, "0o644")}


def test_a_cached_bundle_that_lambda_cannot_read_is_made_readable(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = tmp_path / "ecr-frontdoor" / "lambda" / bundle.name
    shutil.copytree(bundle, cached)
    for path in (*files(cached), Path()):
        (cached / path).chmod(0o700)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert bundling.bundle(SETTINGS) == cached
    assert modes(cached) == {(True, "0o755"), (False, "0o644")}


def test_the_bundles_that_were_not_used_for_longest_are_deleted(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del bundle  # pip's wheels are in its cache
    cache, now = tmp_path / "ecr-frontdoor" / "lambda", time.time()
    for hours in range(30):
        folder = cache / f"bundle-{hours}"
        folder.mkdir(parents=True)
        os.utime(folder, (now, now - 3600 * hours - 60))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = bundling.bundle(SETTINGS)
    left = sorted(int(path.name.removeprefix("bundle-")) for path in cache.glob("bundle-*") if path != made)
    assert left == list(range(18))  # beside the new one and the dependencies
    bundling.bundle(SETTINGS)
    assert len(list(cache.iterdir())) == 20


def test_a_bundle_that_another_synthesis_may_use_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "ecr-frontdoor" / "lambda"
    for number in range(30):
        (cache / f"bundle-{number}").mkdir(parents=True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    bundling.bundle(SETTINGS)
    assert len(list(cache.iterdir())) == 32


def test_a_failed_pip_is_reported_with_its_output_and_leaves_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(bundling.BundlingError) as raised:
        bundling.bundle()
    # pip's own text.
    assert "No matching distribution found" in str(raised.value)
    assert list((tmp_path / "ecr-frontdoor" / "lambda").iterdir()) == []


def test_the_digest_of_the_bundle_changes_only_with_sources_settings_and_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "lambda_fn"
    shutil.copytree(bundling.SOURCE, source)
    monkeypatch.setattr(bundling, "SOURCE", source)
    monkeypatch.setattr(bundling, "LOCK", source / "requirements.txt")
    digests = [bundling.bundle_digest(), bundling.bundle_digest("{}"), bundling.bundle_digest(SETTINGS)]
    (source / "__pycache__").mkdir(exist_ok=True)
    (source / "__pycache__" / "errors.cpython-311.pyc").write_bytes(b"not shipped")
    assert bundling.bundle_digest() == digests[0]
    for name in ("handler.py", "requirements.txt"):
        (source / name).write_text((source / name).read_text() + "# changed\n")
        digests.append(bundling.bundle_digest())
    assert len(set(digests)) == len(digests)
