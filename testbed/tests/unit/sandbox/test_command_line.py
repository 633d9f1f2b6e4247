import os
import subprocess
import sys
from pathlib import Path

import pytest

from testbed.sandbox.interpreter import PYTHON
from testbed.sandbox.world import STATE_VARIABLE

ROOT = Path(__file__).parents[4]


def call(*words: str, inside: str = "", module: str = "testbed.sandbox") -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", module, *words)
    environment = {**os.environ, STATE_VARIABLE: inside}
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment, timeout=60)  # noqa: S603 - our own words


def test_help_names_every_command() -> None:
    text = call("--help").stdout

    for command in ("setup", "up", "down", "status", "run", "shell", "demo"):
        assert f"\n    {command} " in text


@pytest.mark.parametrize(("word", "status"), [("--help", 0), ("nonsense", 2)])
def test_an_unknown_argument_deploys_nothing(word: str, status: int) -> None:
    done = call(word, module="testbed.sandbox.deployment")

    assert done.returncode == status
    assert "making the Lambda's bundle" not in done.stdout + done.stderr
    assert "usage: python -m testbed.sandbox.deployment" in done.stdout + done.stderr


def test_a_step_that_does_not_exist_is_refused_with_the_names_of_those_that_do() -> None:
    done = call("--only", "nonsense", module="testbed.sandbox.deployment")

    assert done.returncode == 2
    assert "failed_first" in done.stderr
    assert "cluster_gone" in done.stderr


def test_the_status_without_a_sandbox_is_down(tmp_path: Path) -> None:
    done = call("--state", str(tmp_path / "none"), "status")

    assert (done.returncode, done.stdout) == (3, "down\n")


@pytest.mark.skipif(sys.platform != "linux", reason="on other systems another check fails first")
@pytest.mark.parametrize("words", [("up",), ("down",), ("run", "--", "true")])
def test_a_command_inside_a_sandbox_is_refused(words: tuple[str, ...], tmp_path: Path) -> None:
    done = call("--state", str(tmp_path / "none"), *words, inside="/somewhere")

    assert done.returncode == 1
    assert "inside a sandbox" in done.stderr


def test_run_without_a_command_shows_an_example(tmp_path: Path) -> None:
    done = call("--state", str(tmp_path / "none"), "run", "--")

    assert done.returncode == 1
    assert "no command given; for example `python -m testbed.sandbox run -- kubectl get nodes`" in done.stderr


def test_the_interpreter_has_a_full_path_even_if_it_was_found_by_a_relative_one() -> None:
    code = "import sys; from testbed.sandbox.interpreter import PYTHON; print(sys.executable, PYTHON, sep='\\n')"
    environment = {"PATH": os.path.relpath(PYTHON.parent, ROOT)}
    words = ("/bin/sh", "-c", f'{PYTHON.name} -c "{code}"')
    done = subprocess.run(words, check=False, capture_output=True, text=True, env=environment, cwd=ROOT)  # noqa: S603 - our own words
    assert done.returncode == 0, done.stderr  # Python 3.14 warns of a relative path
    given, found = map(Path, done.stdout.splitlines())
    assert found.is_absolute()
    assert (ROOT / given).samefile(found)
