"""`frontdoor` as a whole: what every subcommand has, and how the command is installed."""

import pkgutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from cli import commands
from cli.command import app, main

ROOT = Path(__file__).parents[3]
SUBCOMMANDS = sorted(module.name for module in pkgutil.iter_modules(commands.__path__))


def test_each_module_of_the_subcommands_is_registered_under_its_name() -> None:
    registered = [command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands]
    assert sorted(registered) == SUBCOMMANDS


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_each_subcommand_explains_itself_and_its_options(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    assert f"Usage: frontdoor {name}" in capsys.readouterr().out
    (command,) = (each for each in app.registered_commands if getattr(each.callback, "__name__", "") == name)
    assert "    " not in (command.callback.__doc__ or "").splitlines()[0]
    assert len((command.callback.__doc__ or "").splitlines()[0]) < 60, "the list of subcommands would cut it"


@pytest.mark.parametrize("name", ["check", "doctor"])
def test_the_help_explains_each_verdict_on_a_line_of_its_own(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    main([name, "--help"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if line.startswith("      ")][:4] == ["ok", "warn", "FAIL", "skip"]


def test_a_shell_completes_the_subcommands(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for variable, value in {
        "_FRONTDOOR_COMPLETE": "complete_bash",
        "COMP_WORDS": "frontdoor do",
        "COMP_CWORD": "1",
    }.items():
        monkeypatch.setenv(variable, value)
    assert main([]) == 0
    assert capsys.readouterr().out.split() == ["doctor"]


def test_a_subcommand_that_does_not_exist_is_status_2_and_the_nearest_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["docter"]) == 2
    assert "Did you mean 'doctor'?" in capsys.readouterr().err


def test_a_mistake_on_the_command_line_does_not_wait_for_large_libraries() -> None:
    program = "import sys; from cli.command import main; main(['docter']); print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    assert "'cli.commands.doctor'" in done.stdout
    for library in ("aws_cdk", "cdk8s", "jsii", "k8s_manifests.proxy_chart"):
        assert f"'{library}'" not in done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The console script, installed as `scripts/venv` does it: from this folder, without a network."""
    environment = tmp_path_factory.mktemp("installed")
    venv.create(environment)
    python = environment / "bin" / "python"
    (line,) = (line for line in (ROOT / "scripts/venv").read_text().splitlines() if line.endswith("--editable ."))
    words = [str(python) if word == ".venv/bin/python" else word for word in line.split()]
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, *words[1:]], cwd=ROOT, check=True)  # noqa: S603 - our own
    (environment / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages/all.pth").write_text(
        "\n".join(path for path in sys.path if path.endswith("site-packages"))
    )
    return environment / "bin" / "frontdoor"


def test_the_installed_command_runs_in_any_folder(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run([installed, "doctor"], cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert done.returncode == 2
    assert done.stderr.startswith("frontdoor: cannot read frontdoor.toml")


@pytest.mark.parametrize(
    ("line", "expected"),
    [("frontdoor do", ["doctor"]), ("frontdoor doctor --im", ["--image"]), ("frontdoor usage --jso", ["--json"])],
)
def test_bash_completes_the_installed_command(installed: Path, line: str, expected: list[str]) -> None:
    script = (
        'PATH="$1:$PATH"; eval "$(_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION=1 frontdoor --show-completion bash)"; '
        "COMP_WORDS=($2); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); "
        '"$(complete -p frontdoor | sed "s/.*-F \\([^ ]*\\) .*/\\1/")" frontdoor; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    bash = ["bash", "--norc", "-c", script, "bash", str(installed.parent), line]
    done = subprocess.run(bash, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    assert done.stdout.split() == expected


def test_the_schema_is_that_of_the_documents(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert capsys.readouterr().out == (ROOT / "docs" / "frontdoor.schema.json").read_text("utf-8")
