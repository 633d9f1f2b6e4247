"""`frontdoor doctor` as a program: what it prints, and its exit status."""

import json
import os
import subprocess
import sys
from collections import Counter

from testbed.sandbox import installation
from testbed.sandbox.world import World
from tests.leaks import leaks


def doctor(world: World, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    config = str(installation.settings_file(world))
    command = [sys.executable, "-m", "cli.command", "doctor", "--config", config, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own


def test_a_healthy_front_door_is_a_line_for_each_finding_and_status_0(
    installed: World, environment: dict[str, str]
) -> None:
    done = doctor(installed, environment, "--image", f"{installed.app_repository}:{installed.app_tag}")
    *lines, summary = done.stdout.splitlines()
    counted = Counter(line[:4].strip() for line in lines)
    assert summary == f"{counted['ok']} ok, 1 skip"
    assert counted.keys() == {"ok", "skip"}
    assert "\x1b" not in done.stdout
    assert done.returncode == 0


def test_a_failure_is_status_1_and_its_json_has_six_keys(installed: World, environment: dict[str, str]) -> None:
    done = doctor(installed, environment, "--json", "--image", "team/none:1")
    findings = json.loads(done.stdout)
    assert done.returncode == 1
    assert {tuple(one) for one in findings} == {("check", "category", "verdict", "message", "hint", "runbook")}
    assert [one["check"] for one in findings if one["verdict"] == "fail"] == ["pull"]
    assert leaks(environment["AWS_SESSION_TOKEN"], done.stdout + done.stderr) == []


def test_a_front_door_that_stands_is_no_complete_removal(installed: World, environment: dict[str, str]) -> None:
    done = doctor(installed, environment, "--removed", "--json")
    assert done.returncode == 1
    assert [(one["check"], one["verdict"]) for one in json.loads(done.stdout)] == [("aws", "ok"), ("stack", "fail")]


def test_without_aws_credentials_the_domain_is_checked_all_the_same(installed: World) -> None:
    done = doctor(installed, {name: os.environ[name] for name in ("PATH", "SSL_CERT_FILE")}, "--timeout", "1")
    verdicts = {line[4:].split()[0]: line[:4] for line in done.stdout.splitlines()[:-1]}
    assert done.returncode == 1
    assert (verdicts["aws"], verdicts["cluster"], verdicts["registry"]) == ("FAIL", "FAIL", "  ok")
