"""`frontdoor usage`: where it reads, what it prints, and its exit status."""

import json
import re
import time
from pathlib import Path
from typing import NoReturn

import httpx2
import pytest
from botocore.exceptions import NoCredentialsError
from typer.testing import CliRunner, Result

from cli.command import app, main
from cli.usage.insights import FETCHED, LAYERS, SENT
from tests.fakes.aws import Answer, FakeAws
from tests.unit.doctor.test_kubernetes import kubernetes
from tests.unit.usage.lines import INDEX, Front
from tests.unit.usage.test_insights import GROUP, Group
from tests.unit.usage.test_pod_logs import pod, written

CONFIG = Path(__file__).parents[3] / "frontdoor.toml"


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["usage", *words])


def recent() -> Front:
    """A pull of an hour ago, and one of yesterday."""
    front = Front(at=time.time() - 86_400 - 60).tag("GET", "1.3", "e").wait(82_800)
    return front.tag("HEAD", "1.4", "a", INDEX).manifest("GET", "a", INDEX).manifest("GET", "b").blob("c")


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "access.log"
    path.write_text("".join(recent().lines()))
    return str(path)


def test_a_file_is_reported_for_people(file: str) -> None:
    done = run(file)
    assert done.exit_code == 0, done.output
    assert "pulls     1, 0 of them by digest; 0 checks without a pull" in done.output
    assert "team/app    1.4" in done.output
    assert "1.3" not in done.output
    assert "\x1b" not in done.output


def test_clients_that_took_layers_alone_are_a_table_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_text("".join(recent().blob("c", client="10.1.0.66").lines()))
    done = run(str(path))
    assert "none of its manifests: 1\n" in done.output
    assert re.search(r"^team/app    10\.1\.0\.66 +9\.0 kB", done.output, re.MULTILINE)
    (found,) = json.loads(run(str(path), "--json").output)["repositories"]
    assert [each["client"] for each in found["layers_without_manifest"]] == ["10.1.0.66"]


def test_of_many_clients_that_took_layers_alone_the_last_ones_are_shown_and_json_has_all(tmp_path: Path) -> None:
    path, front = tmp_path / "access.log", recent()
    for number in range(1023):
        front.blob("c", client=f"10.9.{number >> 8}.{number & 255}")
    path.write_text("".join(front.lines()))
    done = run(str(path))
    assert done.output.endswith("\nand 1,003 more, which --json lists\n")
    shown = re.findall(r"^team/app    (10\.9\.\S+)", done.output, re.MULTILINE)
    assert shown == [f"10.9.3.{last}" for last in range(254, 234, -1)]
    (found,) = json.loads(run(str(path), "--json").output)["repositories"]
    assert len(found["layers_without_manifest"]) == 1023


def test_a_file_that_begins_with_a_record_without_a_time_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_text("".join(Front().tag("GET", "1", "a", ended_at="now").lines() + recent().lines()))
    done = run(str(path))
    assert "pulls     1, 0 of them by digest" in done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)


def test_a_file_is_reported_for_programs(file: str) -> None:
    found = json.loads(run(file, "--json", "--since", "2d", "--repository", "team/app").output)
    assert [(each["tag"], each["pulls"]) for each in found["repositories"][0]["tags"]] == [("1.4", 1), ("1.3", 1)]
    assert found["sources"][0]["begins_at"] == found["covers"]["from"]


def test_a_log_without_records_is_an_exit_status_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("nothing of the proxy\n")
    done = run(str(tmp_path / "empty"))
    assert (done.exit_code, done.output.splitlines()[0]) == (1, "covers    nothing: no records")


@pytest.mark.parametrize("since", ["24", "h", "-1h", "0h", "1w", "999999d", "1.5h"])
def test_a_time_that_is_not_valid_is_refused_with_what_is_allowed(since: str) -> None:
    done = run("--since", since, "any")
    assert done.exit_code == 2
    assert "a number with m, h or d, such as 24h" in done.output


def test_two_sources_at_once_are_refused(file: str) -> None:
    assert run(file, "--log-group", "any").exit_code == 2


def test_the_logs_of_the_pods_are_read_and_what_they_do_not_cover_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/pods"):
            items = [pod(name, time.time() - 90_000) for name in ("one", "two")]
            return httpx2.Response(200, json={"items": items})
        front = recent() if "/one/" in request.url.path else Front(at=time.time() - 600).tag("GET", "1.5", "d")
        return written(front)

    cluster = kubernetes(answer)
    monkeypatch.setattr("cli.doctor.context.CheckContext.kubernetes", cluster)
    monkeypatch.setattr("cli.commands.usage.session", lambda *_: FakeAws({}))
    done = run("--config", str(CONFIG))
    assert done.exit_code == 0, done.output
    assert "pulls     2, 0 of them by digest" in done.output
    assert "  two: its log has no earlier lines: the kubelet keeps about 10 MiB" in done.output
    assert "one:" not in done.output
    cluster.close()


def test_a_cluster_that_refuses_is_one_message_with_its_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = {"kind": "Status", "code": 403, "message": "pods is forbidden"}
    cluster = kubernetes(lambda _: httpx2.Response(403, json=refused))
    monkeypatch.setattr("cli.doctor.context.CheckContext.kubernetes", cluster)
    monkeypatch.setattr("cli.commands.usage.session", lambda *_: FakeAws({}))
    done = run("--config", str(CONFIG))
    assert (done.exit_code, done.output.count("\n")) == (1, 1)
    assert "you may not list pods" in done.output
    assert "Fix: " in done.output
    cluster.close()


def without_credentials(_: object) -> NoReturn:
    raise NoCredentialsError


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (without_credentials, "Unable to locate credentials"),
        ("AccessDeniedException: not authorized", "not authorized"),
    ],
    ids=["no credentials", "denied"],
)
def test_an_eks_that_does_not_describe_the_cluster_is_one_message_with_the_operators_fix(
    monkeypatch: pytest.MonkeyPatch, answer: Answer, reason: str
) -> None:
    monkeypatch.setattr("cli.commands.usage.session", lambda *_: FakeAws({"DescribeCluster": answer}))
    done = run("--config", str(CONFIG))
    assert (done.exit_code, done.output.count("\n")) == (1, 1)
    assert done.output.startswith("frontdoor: EKS in ap-southeast-2 does not describe cluster shared: ")
    assert f"{reason}. Fix: log in, or use --profile NAME" in done.output
    assert "Lambda" not in done.output


def test_a_log_group_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    now = int(time.time())
    front = Front(at=now - 600).tag("HEAD", "1.4", "a").manifest("GET", "a")
    sums = {
        SENT: [{"named": "team/app", "total": "9000"}],
        FETCHED: [{"host": "1.dkr.ecr.eu-west-1.amazonaws.com", "named": "team/app", "total": "4000"}],
        LAYERS: [
            {"named": "team/app", "address": client, "total": "4500", "last": f"{now - 599}.500"}
            for client in ("10.1.0.7", "10.1.0.66")
        ],
    }
    group = Group([(now - 600, line) for line in front.lines()], sums=sums)
    created = {"logGroupName": GROUP, "creationTime": 1000 * (now - 3600)}
    group.aws.answers["DescribeLogGroups"] = {"logGroups": [created]}
    monkeypatch.setattr("cli.commands.usage.session", lambda *_: group.aws)
    monkeypatch.setattr("cli.usage.insights._PAUSE_SECONDS", 0.001)
    done = run("--config", str(CONFIG), "--log-group", GROUP, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert (found["pulls"], found["checks"], found["saved_bytes"]) == (1, 0, 5000)
    (repository,) = found["repositories"]
    assert [each["client"] for each in repository["layers_without_manifest"]] == ["10.1.0.66"]
    assert found["covers"]["from"].startswith(time.strftime("%Y-%m-%dT%H:%M", time.gmtime(now - 3600)))


def test_the_rest_of_a_pull_that_began_before_the_period_is_known_from_the_log_group(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = int(time.time())
    front = Front(at=now - 86_400 - 600).tag("GET", "1.4", "a")
    row = {"named": "team/app", "address": "10.1.0.7", "total": "1", "last": f"{now - 86_000}.500"}
    group = Group([(now - 86_400 - 600, line) for line in front.lines()], sums={LAYERS: [row]})
    monkeypatch.setattr("cli.commands.usage.session", lambda *_: group.aws)
    monkeypatch.setattr("cli.usage.insights._PAUSE_SECONDS", 0.001)
    group.aws.answers["DescribeLogGroups"] = {"logGroups": [{"logGroupName": GROUP, "creationTime": 0}]}
    found = json.loads(run("--config", str(CONFIG), "--log-group", GROUP, "--json").output)
    assert (found["pulls"], found["clients_without_manifest"]) == (0, 0)
    assert found["covers"]["from"] == found["sources"][0]["begins_at"]
    assert found["covers"]["from"][:16] == found["since"][:16]


def test_an_aws_that_refuses_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = FakeAws({"DescribeLogGroups": "AccessDeniedException: no"})
    monkeypatch.setattr("cli.commands.usage.session", lambda *_: aws)
    done = run("--config", str(CONFIG), "--log-group", GROUP)
    assert (done.exit_code, done.output.startswith("frontdoor: AWS refused")) == (1, True)
    assert done.output.endswith("no. Fix: log in, or use --profile NAME\n")


def test_a_profile_that_does_not_exist_is_one_message_with_its_fix(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["usage", "--config", str(CONFIG), "--profile", "nope"]) == 2
    assert capsys.readouterr().err == (
        "frontdoor: The config profile (nope) could not be found. Fix: use --profile NAME with a name that aws "
        "configure list-profiles prints\n"
    )


def test_a_configuration_that_cannot_be_read_is_not_taken_for_a_profile_that_does_not_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "config"
    file.write_text("region = none of the sections\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    assert main(["usage", "--config", str(CONFIG), "--profile", "team"]) == 2
    said = capsys.readouterr().err
    assert said == (
        f"frontdoor: Unable to parse config file: {file}. Fix: correct the configuration of the AWS command line\n"
    )
