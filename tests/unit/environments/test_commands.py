"""The commands that take a folder: each line, row and object names its environment."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.command import app
from tests.fakes.aws import Answer, FakeAws

NAMES = ("blue", "green")
ALARM = {
    "AlarmName": "raised",
    "StateValue": "ALARM",
    "AlarmDescription": "The token <expires>. Runbook: docs/operations.md#tokenrunsout",
    "ActionsEnabled": True,
}
FINE = {"AlarmName": "fine", "StateValue": "OK", "ActionsEnabled": True}
Run = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "defaults.toml").write_text(
        '[[registries]]\naccount = "123456789012"\nregion = "eu-west-1"\n[proxy.exposure]\nkind = "service"\n'
    )
    for name in NAMES:
        text = f'domain = "{name}.example.net"\n[cluster]\nname = "{name}"\nregion = "eu-west-1"\n'
        (tmp_path / f"{name}.toml").write_text(text)
    return tmp_path


def answers(name: str, alarm: Answer) -> dict[str, Answer]:
    stack = {
        "StackName": f"ecr-frontdoor-{name}-registry",
        "StackStatus": "UPDATE_COMPLETE",
        "CreationTime": "2026-01-01",
    }
    summary = {
        "ResourceType": "AWS::CloudWatch::Alarm",
        "LogicalResourceId": "AlarmsTokenExpires",
        "PhysicalResourceId": dict(alarm)["AlarmName"] if isinstance(alarm, dict) else "unknown",
        "ResourceStatus": "CREATE_COMPLETE",
        "LastUpdatedTimestamp": "2026-01-01",
    }
    return {
        "GetCallerIdentity": {"Arn": "arn:aws:iam::123456789012:user/operator", "Account": "123456789012"},
        "DescribeStacks": {"Stacks": [stack]},
        "ListStackResources": {"StackResourceSummaries": [summary]},
        "DescribeAlarms": alarm if isinstance(alarm, str) else {"MetricAlarms": [alarm]},
    }


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Run:
    def ran(command: str, *words: str, blue: Answer = FINE, green: Answer = FINE) -> Result:
        sessions = iter([FakeAws(answers("blue", blue)), FakeAws(answers("green", green))])
        monkeypatch.setattr(f"cli.commands.{command}.session", lambda *_: next(sessions))
        return CliRunner().invoke(app, [command, "--config", str(folder), *words])

    return ran


@pytest.mark.parametrize("command", ["check", "doctor"])
def test_each_line_names_its_environment_and_json_has_a_key_for_it(run: Run, command: str) -> None:
    done = run(command)
    *lines, _ = done.stdout.splitlines()
    named = [line.split()[1] for line in lines]
    assert {*named} == {*NAMES}, done.output
    assert named == sorted(named)
    found = json.loads(run(command, "--json").stdout)
    assert {one["environment"] for one in found} == {*NAMES}
    assert all([*one] == ["environment", "check", "category", "verdict", "message", "hint", "runbook"] for one in found)


@pytest.mark.parametrize("command", ["check", "doctor", "overview"])
def test_a_folder_with_one_stack_twice_is_refused_before_aws_is_asked(folder: Path, command: str) -> None:
    (folder / "green.toml").write_text((folder / "blue.toml").read_text("utf-8"))
    done = CliRunner().invoke(app, [command, "--config", str(folder)])
    assert f"{folder}/blue.toml and {folder}/green.toml have the same stack" in str(done.exception)


@pytest.mark.parametrize("words", [("refresh",), ("manifests",), ("forget", "a@sha256:" + "0" * 64)])
def test_a_command_for_one_environment_refuses_a_folder_with_status_2(folder: Path, words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, [*words, "--config", str(folder)])
    assert "is a folder" in str(done.exception)
    assert "blue.toml" in str(done.exception)


def test_the_overview_of_environments_without_an_alarm_is_a_row_for_each_and_status_0(run: Run) -> None:
    done = run("overview")
    _, blue, green, summary = done.stdout.splitlines()
    assert done.exit_code == 0, done.output
    assert blue.split()[:4] == ["ok", "blue", "blue.example.net", "eu-west-1"]
    assert green.split()[:2] == ["ok", "green"]
    assert summary == "2 ok"


def test_a_raised_alarm_is_in_the_row_of_its_environment_and_status_1(run: Run) -> None:
    done = run("overview", green=ALARM)
    assert done.exit_code == 1
    assert done.stdout.splitlines()[-1] == "1 warn, 1 ok"
    (row,) = (line for line in done.stdout.splitlines() if "green" in line)
    assert row.startswith("warn")
    assert "alarm raised is in state ALARM. Fix: The token <expires>." in row


def test_an_environment_that_aws_does_not_describe_does_not_hide_the_others(run: Run) -> None:
    done = run("overview", "--json", blue="AccessDenied: no")
    assert done.exit_code == 1
    assert [(row["environment"], row["verdict"]) for row in json.loads(done.stdout)] == [
        ("blue", "warn"),
        ("green", "ok"),
    ]


def test_the_page_has_the_worst_first_and_its_texts_are_no_markup(run: Run) -> None:
    done = run("overview", "--html", green=ALARM)
    assert done.exit_code == 1
    assert done.stdout.startswith("<!doctype html>")
    assert done.stdout.index("green.example.net") < done.stdout.index("blue.example.net")
    assert "The token &lt;expires&gt;." in done.stdout
    assert "<script" not in done.stdout
    assert "http" not in done.stdout


def test_a_single_file_has_a_row_with_its_name(run: Run, folder: Path) -> None:
    done = run("overview", "--config", str(folder / "blue.toml"))
    assert [line.split()[1] for line in done.stdout.splitlines()[1:-1]] == ["blue"]
