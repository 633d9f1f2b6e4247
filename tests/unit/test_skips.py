"""The rule of conftest.py, on a suite made for it: where CI=true, what is skipped has failed."""

import os
import subprocess
from pathlib import Path

import pytest

from testbed.sandbox.interpreter import PYTHON

ROOT = Path(__file__).parents[2]
MODULES = {
    "fixture": "import pytest\n@pytest.fixture\ndef f(): pytest.skip('by a fixture')\ndef test_one(f): pass\n",
    "mark": "import pytest\n@pytest.mark.skip(reason='by a mark')\ndef test_one(): pass\n",
    "module": "import pytest\npytest.skip('by a module', allow_module_level=True)\n",
    "world": "def test_one(world): pass\n",
    "passing": "def test_one(): pass\n",
    "expected": "import pytest\n@pytest.mark.xfail\ndef test_one(): assert False\n",
}
REASONS = ("by a fixture", "by a mark", "by a module", "FRONTDOOR_SANDBOX is not set: run `make test` as root on Linux")


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "conftest.py").write_text((ROOT / "conftest.py").read_text())
    for name, code in MODULES.items():
        (tmp_path / f"test_{name}.py").write_text(code)
    return tmp_path


def run(suite: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"CI", "FRONTDOOR_SANDBOX", "COLUMNS"}}
    own = {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": "300"}
    words = (
        str(PYTHON),
        "-m",
        "pytest",
        "-rs",
        "-p",
        "no:cacheprovider",
        "--continue-on-collection-errors",
        str(suite),
    )
    return subprocess.run(  # noqa: S603 - our own words
        words, check=False, capture_output=True, text=True, env=kept | own | environment, cwd=suite
    )


def test_elsewhere_what_is_skipped_is_shown_with_its_reason(suite: Path) -> None:
    done = run(suite, {})
    assert done.returncode == 0
    assert "1 passed, 4 skipped, 1 xfailed" in done.stdout
    assert [reason for reason in REASONS if reason not in done.stdout] == []


def test_in_ci_what_is_skipped_has_failed_with_its_reason(suite: Path) -> None:
    done = run(suite, {"CI": "true"})
    assert done.returncode == 1
    assert "1 passed, 1 xfailed" in done.stdout
    assert "skipped in" not in done.stdout
    assert [r for r in REASONS if f"skipped, which CI=true forbids: {r}" not in done.stdout] == []
