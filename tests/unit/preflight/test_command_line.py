"""`frontdoor check` as a program: what it prints, and its exit status."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.command import app
from cli.doctor.context import CheckContext
from tests.fakes.aws import Answer, FakeAws
from tests.fakes.kubernetes import FakeKubernetes
from tests.unit.preflight import before

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    config = tmp_path / "frontdoor.toml"
    config.write_text(before.text(before.NLB))
    monkeypatch.setattr("shutil.which", lambda name: name)
    monkeypatch.setattr(CheckContext, "kubernetes", FakeKubernetes(before.OBJECTS))

    def ran(*words: str, **changed: Answer) -> Result:
        monkeypatch.setattr("cli.commands.check.session", lambda *_: FakeAws(before.answers() | changed))
        return CliRunner().invoke(app, ["check", "--config", str(config), *words])

    return ran


def test_a_deployment_that_would_succeed_is_a_line_for_each_finding_and_status_0(run: Run) -> None:
    done = run()
    *lines, summary = done.stdout.splitlines()
    assert done.exit_code == 0, done.output
    assert {line[:4] for line in lines} == {"  ok"}
    assert summary == f"{len(lines)} ok"


def test_a_fault_is_one_line_with_fix_and_runbook_and_status_1(run: Run) -> None:
    done = run("--quiet", GetParameter="ParameterNotFound: none")
    (line,) = done.stdout.splitlines()
    assert done.exit_code == 1
    assert line.startswith("FAIL  bootstrap")
    assert "Fix: set deployment.bootstrap_qualifier where" in line
    assert "or: cdk bootstrap aws://123456789012/ap-southeast-2 (docs/operations.md#" in line


def test_a_warning_alone_is_status_0_and_json_has_the_category(run: Run) -> None:
    done = run("--quiet", "--json", AssumeRole="AccessDenied: no")
    assert done.exit_code == 0
    assert [(one["check"], one["category"], one["verdict"]) for one in json.loads(done.stdout)] == [
        ("bootstrap", "AWS", "warn")
    ]
