"""What the entry point does before anything outside is asked: settings, events, log and metrics."""

import io
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lambda_fn import handler
from lambda_fn.contract import objects
from lambda_fn.contract.authorization import Authorization
from lambda_fn.contract.errors import ClusterError, EventError, FrontdoorError, SettingsError
from lambda_fn.contract.metrics import Rollout, Run, dimensions
from lambda_fn.contract.runtime import SETTINGS_FILE, TASK_ROOT
from lambda_fn.edges import metrics
from lambda_fn.job.connection import Connection
from lambda_fn.job.expiry import KnownExpiry
from lambda_fn.job.reason import REASON_BYTES
from lambda_fn.job.report import RolloutStuckError
from lambda_fn.settings import Canary as Image
from lambda_fn.settings import parse_toml, to_json
from tests.contract.cluster import objects_of, settings
from tests.fakes.context import FakeContext
from tests.fakes.world import HOST, TWO_ACCOUNTS, World, installed


class Emitted:
    """The lines the Lambda wrote: its log, and the metrics on standard output."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.stream = io.StringIO()
        self._capsys = capsys

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def metrics(self) -> dict[str, Any]:
        (line,) = self._capsys.readouterr().out.splitlines()
        counted: dict[str, Any] = json.loads(line)
        return counted


@pytest.fixture
def emitted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Emitted:
    found = Emitted(capsys)
    monkeypatch.setattr(handler.logger.registered_handler, "stream", found.stream)
    return found


@pytest.fixture
def _settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_REGION", "ap-southeast-2")
    monkeypatch.setenv(TASK_ROOT, str(tmp_path))
    (tmp_path / SETTINGS_FILE).write_text(to_json(settings()), encoding="utf-8")


class UnreachableEks:
    """EKS, from a Lambda without a route to it."""

    def connect(self) -> None:
        raise ClusterError("EKS in ap-southeast-2 cannot be asked")


@pytest.mark.usefixtures("_settings")
def test_an_unknown_event_fails_the_invocation_with_one_line_that_says_what_is_allowed(
    emitted: Emitted,
) -> None:
    with pytest.raises(EventError, match="unknown keys"):
        handler.handler({"dryrun": True}, FakeContext())
    (line,) = emitted.log()
    assert line["level"] == "ERROR"
    assert line["error"] == "EventError"
    assert line["message"].startswith('the event has unknown keys: ["dryrun"]. Allowed are {}')
    assert line["function_request_id"] == "11111111-2222-3333-4444-555555555555"
    assert "exception" not in line


@pytest.mark.usefixtures("_settings")
def test_a_mistyped_event_does_not_count_as_a_failed_refresh(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(EventError):
        handler.handler({"dryrun": True}, FakeContext())
    assert "RefreshSucceeded" not in capsys.readouterr().out


@pytest.mark.usefixtures("_settings")
def test_a_canary_that_is_not_set_is_a_failed_invocation_that_says_how_to_set_it(emitted: Emitted) -> None:
    with pytest.raises(SettingsError, match=r"set canary\.repository"):
        handler.handler({"canary": True}, FakeContext())
    (line,) = emitted.log()
    assert line["error"] == "SettingsError"


def test_the_canary_does_not_begin_what_the_invocation_has_no_time_for(
    monkeypatch: pytest.MonkeyPatch, emitted: Emitted
) -> None:
    pulling = settings().model_copy(update={"canary": Image(repository="team/canary", reference="latest")})
    monkeypatch.setattr(handler, "_edges", lambda _: (pulling, None, None, KnownExpiry()))
    returned = handler.handler({"canary": True}, FakeContext(remaining_seconds=4))
    assert returned["canary"]["succeeded"] is False
    assert "no time was left" in returned["canary"]["message"]
    assert emitted.metrics()["CanarySuccess"] == [0.0]


def failed_run(monkeypatch: pytest.MonkeyPatch, emitted: Emitted, known: KnownExpiry) -> dict[str, Any]:
    """What a run counts that cannot ask the cluster, in an instance that knows `known` of the token there."""
    monkeypatch.setattr(handler, "_edges", lambda _: (settings(), None, UnreachableEks(), known))
    with pytest.raises(ClusterError, match="cannot be asked"):
        handler.handler({}, FakeContext())
    return emitted.metrics()


def test_a_failed_run_is_counted(monkeypatch: pytest.MonkeyPatch, emitted: Emitted) -> None:
    counted = failed_run(monkeypatch, emitted, KnownExpiry())
    assert (counted["RefreshSucceeded"], counted["TokensWritten"]) == ([0.0], [0.0])
    assert (counted["Domain"], counted["Cluster"]) == ("registry.frontdoor.test", "shared")


def test_a_run_that_cannot_ask_the_cluster_counts_what_the_instance_knew_of_the_token(
    monkeypatch: pytest.MonkeyPatch, emitted: Emitted
) -> None:
    known = KnownExpiry(datetime.now(UTC) + timedelta(hours=1))
    (seconds,) = failed_run(monkeypatch, emitted, known)["TokenSecondsRemaining"]
    assert 3000 < seconds <= 3600


def test_a_run_that_cannot_ask_and_knows_nothing_counts_no_time_that_would_be_made_up(
    monkeypatch: pytest.MonkeyPatch, emitted: Emitted
) -> None:
    assert "TokenSecondsRemaining" not in failed_run(monkeypatch, emitted, KnownExpiry())


class Session:
    """The connection of a cluster that is a fake, and needs none."""

    def close(self) -> None:
        pass


class ReachableEks:
    """EKS, of which only the resolver and the version matter."""

    def __init__(self, version: str | None) -> None:
        self._version = version

    def connect(self) -> Connection:
        return Connection("https://k8s.test", "Q0E=", "10.96.0.10", self._version)

    def bearer(self) -> Authorization:
        return Authorization("bearer")


def connect(world: World, monkeypatch: pytest.MonkeyPatch, version: str | None = "1.36") -> None:
    """Give the entry point the fakes of `world`."""
    edges = (world.settings, world.registry, ReachableEks(version), KnownExpiry())
    monkeypatch.setattr(handler, "_edges", lambda _: edges)
    monkeypatch.setattr(handler, "LambdaClock", lambda _: world.clock)
    monkeypatch.setattr(handler, "KubernetesSession", lambda *_: Session())
    monkeypatch.setattr(handler, "KubernetesApi", lambda *_: world.cluster)


def run_of(world: World, monkeypatch: pytest.MonkeyPatch, emitted: Emitted) -> tuple[str, dict[str, Any]]:
    """How the invocation failed, and what it counted."""
    connect(world, monkeypatch)
    with pytest.raises(FrontdoorError) as caught:
        handler.handler({}, FakeContext())
    return type(caught.value).__name__, emitted.metrics()


def test_a_run_whose_rollout_is_replaced_has_written_its_token_and_is_logged_and_not_stuck(
    monkeypatch: pytest.MonkeyPatch, emitted: Emitted
) -> None:
    world = installed(World())
    other = objects_of(world.settings).rollout({objects.CONFIG_SHA256: "another run's"})

    def another_run() -> None:
        world.cluster.apply(other, dry_run=False)

    world.clock.meanwhile = another_run
    error, counted = run_of(world, monkeypatch, emitted)
    assert error == "RolloutReplacedError"
    names = ("RefreshSucceeded", "TokensWritten", "RolloutsStuck", "PodsReady")
    assert [counted[name] for name in names] == [[0.0], [1.0], [0.0], [2.0]]
    assert counted["TokenSecondsRemaining"][0] > 0
    logged, failed = emitted.log()
    assert (logged["message"], logged["report"]["changed"][0]) == ("refresh", "Secret aws-registry")
    assert failed["error"] == error


@pytest.mark.parametrize(
    ("version", "manifests", "warned"),
    [("1.34", "kubectl", True), ("1.34", "namespaced", True), ("1.34", "external", False), ("1.36", "kubectl", False)],
)
def test_a_cluster_that_the_kubectl_of_the_deployment_does_not_support_is_a_warning_in_the_log(
    version: str, manifests: str, *, warned: bool, monkeypatch: pytest.MonkeyPatch, emitted: Emitted
) -> None:
    world = installed(World(settings=settings().model_copy(update={"manifests": manifests})))
    connect(world, monkeypatch, version)
    handler.handler({}, FakeContext())
    found = [line["message"] for line in emitted.log() if line["level"] == "WARNING"]
    assert [text.startswith("the cluster has Kubernetes 1.34") for text in found] == [True] * warned


def test_a_cluster_of_which_eks_was_not_asked_is_asked_itself(
    monkeypatch: pytest.MonkeyPatch, emitted: Emitted
) -> None:
    def version_of(connection: Connection, bearer: Callable[[], Authorization]) -> str:
        assert (connection.version, bearer().reveal()) == (None, "bearer")
        return "1.34"

    connect(installed(World()), monkeypatch, None)
    monkeypatch.setattr(handler, "version_of", version_of)
    handler.handler({}, FakeContext())
    assert any(line["message"].startswith("the cluster has Kubernetes 1.34") for line in emitted.log())


class Pulls:
    """The canary, which only counts its pulls."""

    def __init__(self) -> None:
        self.count = 0

    def pull(self, *, allowed_seconds: float) -> float:
        assert allowed_seconds > 0
        self.count += 1
        return 0.5


@pytest.mark.parametrize(("event", "pulls"), [({}, 1), ({"dry_run": True}, 0)])
@pytest.mark.usefixtures("emitted")
def test_the_canary_pulls_after_a_run_and_not_after_a_dry_run(
    event: dict[str, bool], pulls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = Image(repository="team/canary", reference="latest")
    world = installed(World(settings().model_copy(update={"canary": image})))
    connect(world, monkeypatch)
    canary = Pulls()
    monkeypatch.setattr(handler, "Canary", lambda *_, **__: canary)
    returned = handler.handler(event, FakeContext())
    assert canary.count == pulls
    assert ("canary" in returned) == bool(pulls)


def test_each_warning_and_each_field_that_was_taken_back_is_a_warning_in_the_log(
    monkeypatch: pytest.MonkeyPatch, emitted: Emitted
) -> None:
    world = installed(World())
    world.run()
    world.cluster.edit("ConfigMap", "aws-registry-proxy-config", ("data", "nginx.conf"), "# mine")
    world.registry.unreachable.add(HOST)
    connect(world, monkeypatch)
    world.clock.begin_invocation()
    returned = handler.handler({}, FakeContext())
    *warnings, last = emitted.log()
    assert returned["warnings"]
    assert returned["taken_over"]
    assert [line["level"] for line in warnings] == ["WARNING"] * len(warnings)
    assert [line["message"] for line in warnings if "fields" not in line] == list(returned["warnings"])
    assert [line["fields"] for line in warnings if "fields" in line] == list(returned["taken_over"])
    assert (last["level"], last["message"]) == ("INFO", "refresh")


def test_a_run_whose_rollout_is_stuck_has_written_its_token_and_is_stuck(
    monkeypatch: pytest.MonkeyPatch, emitted: Emitted
) -> None:
    world = installed(World())
    world.cluster.rolls_in_seconds = None
    error, counted = run_of(world, monkeypatch, emitted)
    assert error == "RolloutStuckError"
    assert [counted[name] for name in ("TokensWritten", "RolloutsStuck")] == [[1.0], [1.0]]


def test_a_long_error_is_whole_in_the_log_and_shortened_in_the_answer(
    monkeypatch: pytest.MonkeyPatch, emitted: Emitted
) -> None:
    world = installed(World())
    world.cluster.rolls_in_seconds = None
    lines = [f"connect() failed, line {number} {'x' * 250}" for number in range(20)]
    world.cluster.log = "\n  ".join(lines)
    connect(world, monkeypatch)
    with pytest.raises(RolloutStuckError) as caught:
        handler.handler({}, FakeContext())
    (logged,) = [line["message"] for line in emitted.log() if line["level"] == "ERROR"]
    answered = str(caught.value)
    assert all(line in logged for line in lines)
    assert lines[0] not in answered
    assert answered.endswith(lines[-1])
    assert len(answered.encode()) <= REASON_BYTES
    assert answered.splitlines()[0] == logged.splitlines()[0]


def test_a_run_with_a_failing_region_has_not_written_every_token_and_is_not_stuck(
    monkeypatch: pytest.MonkeyPatch, emitted: Emitted
) -> None:
    world = installed(World(parse_toml(TWO_ACCOUNTS, "the test's settings")))
    world.run()
    world.clock.begin_invocation()
    world.registry.failing.add("eu-west-1")
    error, counted = run_of(world, monkeypatch, emitted)
    assert error == "StaleRegionError"
    names = ("RefreshSucceeded", "TokensWritten", "RolloutsStuck", "PodsReady")
    assert [counted[name] for name in names] == [[0.0], [0.0], [0.0], [2.0]]
    assert 0 < counted["TokenSecondsRemaining"][0] < 12 * 3600


def test_a_run_whose_template_does_not_render_has_written_its_token_and_failed(
    monkeypatch: pytest.MonkeyPatch, emitted: Emitted
) -> None:
    world = installed(World())
    world.edit_template("{{ domian }}")
    error, counted = run_of(world, monkeypatch, emitted)
    assert error == "UnrenderedTemplateError"
    assert [counted[name] for name in ("RefreshSucceeded", "TokensWritten")] == [[0.0], [1.0]]
    assert counted["TokenSecondsRemaining"] == [12 * 3600.0]
    assert "RolloutsStuck" not in counted


@pytest.mark.parametrize(
    "lose", [lambda w: w.cluster.refusing.add("ConfigMap"), lambda w: setattr(w.clock, "meanwhile", lambda: unread(w))]
)
def test_a_run_that_loses_the_cluster_has_written_its_token_and_counts_no_pods(
    monkeypatch: pytest.MonkeyPatch, emitted: Emitted, lose: Callable[[World], None]
) -> None:
    world = installed(World())
    lose(world)
    error, counted = run_of(world, monkeypatch, emitted)
    assert error == "UnfinishedError"
    assert [counted[name] for name in ("RefreshSucceeded", "TokensWritten")] == [[0.0], [1.0]]
    assert counted["TokenSecondsRemaining"][0] > 0
    assert not {"RolloutsStuck", "PodsReady"} & counted.keys()
    assert emitted.log()[0]["report"]["changed"][0] == "Secret aws-registry"


def unread(world: World) -> None:
    """From now on the API server answers no read."""
    world.cluster.reads_left = 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "settings.json in the bundle cannot be read (No such file or directory). Fix: deploy the stack again"),
        ("{", "settings.json is not JSON"),
    ],
)
def test_missing_settings_fail_the_invocation_with_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, emitted: Emitted, text: str | None, message: str
) -> None:
    monkeypatch.setenv(TASK_ROOT, str(tmp_path))
    if text is not None:
        (tmp_path / SETTINGS_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError):
        handler.handler({}, FakeContext())
    (line,) = emitted.log()
    assert message in line["message"]
    assert line["error"] == "SettingsError"


def test_a_succeeded_run_counts_the_tokens_life_the_pods_and_the_rollout(emitted: Emitted) -> None:
    metrics.emit(
        dimensions(domain="registry.frontdoor.test", cluster="shared", namespace="registry"),
        Run(succeeded=True, token_written=True, seconds=1.5, token_seconds_remaining=43198.5),
        Rollout(started=True, stuck=False, pods_ready=2),
    )
    counted = emitted.metrics()
    (definition,) = counted["_aws"]["CloudWatchMetrics"]
    assert definition["Namespace"] == "EcrFrontdoor"
    assert [sorted(dimensions) for dimensions in definition["Dimensions"]] == [
        ["Cluster", "Domain", "Namespace", "service"]
    ]
    values = {metric["Name"]: (counted[metric["Name"]], metric["Unit"]) for metric in definition["Metrics"]}
    assert values == {
        "RefreshSucceeded": ([1.0], "Count"),
        "TokensWritten": ([1.0], "Count"),
        "DurationMilliseconds": ([1500.0], "Milliseconds"),
        "TokenSecondsRemaining": ([43198.5], "Seconds"),
        "RolloutsStuck": ([0.0], "Count"),
        "PodsReady": ([2.0], "Count"),
        "Rollouts": ([1.0], "Count"),
    }


def test_libraries_that_would_log_answers_stay_quiet_whatever_the_functions_log_level_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logging.getLogger(), "level", logging.DEBUG)
    for name in ("botocore.parsers", "botocore.endpoint", "urllib3.connectionpool", "httpx2", "httpcore2.http11"):
        assert not logging.getLogger(name).isEnabledFor(logging.INFO)
