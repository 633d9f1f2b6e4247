"""Each alarm of the template is raised by its condition, and only by it, under the rules of CloudWatch."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lambda_fn import handler
from lambda_fn.contract.errors import ClusterError
from lambda_fn.contract.metrics import Pull, Rollout, Run, dimensions
from lambda_fn.edges import metrics
from lambda_fn.job.expiry import KnownExpiry
from tests.fakes.context import FakeContext
from tests.template import configurations
from tests.template.cloudwatch import ALARM, OK, Sample, metric, states
from tests.template.synthesis import logical_id, only, resources, synthesize

KIND = "AWS::CloudWatch::Alarm"
HOUR, MINUTE = 3600, 60
RUN = 4 * HOUR
FURTHER_BACK = (0, 2, 5)
"""Additional datapoints that CloudWatch may read; their number is not documented."""
RUNBOOK = (configurations.ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def alarms(name: str = "public") -> dict[str, Mapping[str, Any]]:
    """The alarms of a configuration by their names in the stack."""
    found = resources(name, KIND).items()
    return {re.sub("^Alarms|[0-9A-F]{8}$", "", logical_id): alarm["Properties"] for logical_id, alarm in found}


def every() -> dict[str, Mapping[str, Any]]:
    """The alarms of any installation, that of `[canary]`, here with five minutes, and that of the catalogue."""
    return alarms() | {
        "CanaryFailed": alarms("several")["CanaryFailed"],
        "CatalogueOld": alarms("guarded")["CatalogueOld"],
    }


NAMES = sorted(every())


def raised(name: str, samples: Iterable[tuple[float, float]], until: float) -> set[tuple[str, ...]]:
    """The states of an alarm for samples (hour, value), for each number of additional datapoints."""
    found = set()
    for further_back in FURTHER_BACK:
        seen = states(
            every()[name],
            [Sample(hours * HOUR, value) for hours, value in samples],
            until=round(until * HOUR),
            further_back=further_back,
        )
        found.add(tuple(state for before, state in zip(["", *seen], seen, strict=False) if state != before))
    return found


# Hours and values of the metric; the states it goes through after that many hours.
UNKNOWN = "INSUFFICIENT_DATA"
SECONDS = (12 * HOUR, 8 * HOUR - 60, 4 * HOUR - 120)
SHOULD: list[tuple[str, list[tuple[float, float]], float, tuple[str, ...]]] = [
    # A run fails, and so do both repetitions; the next one succeeds.
    ("RefreshFailed", [(0, 1), (4, 0), (4.02, 0), (4.05, 0)], 7.9, (OK, ALARM)),
    ("RefreshFailed", [(0, 1), (4, 0), (4.02, 0), (4.05, 0), (8, 1)], 9, (OK, ALARM, OK)),
    # Runs fail.
    ("NoRefresh", [(0, 1), (4, 0), (8, 0)], 8.5, (OK, ALARM)),
    # Nothing runs any more.
    ("NoRefresh", [(0, 1)], 8.5, (OK, ALARM)),
    ("NoRefresh", [], 0.1, (ALARM,)),
    ("NoRefresh", [(0, 1), (9, 1)], 9.1, (OK, ALARM, OK)),
    # Two runs fail, and read what the Secret says: the token of the first one is all there is.
    ("TokenRunsOut", [(0, SECONDS[0]), (4, SECONDS[1]), (8, SECONDS[2])], 10, (OK, ALARM)),
    ("TokenRunsOut", [(0, SECONDS[0]), (4, SECONDS[1]), (8, SECONDS[2]), (10, SECONDS[0])], 11, (OK, ALARM, OK)),
    ("RolloutStuck", [(0, 0), (4, 1), (4.1, 1), (4.2, 1)], 7.9, (OK, ALARM)),
    ("RolloutStuck", [(0, 0), (4, 1), (4.1, 1), (5, 0)], 6, (OK, ALARM, OK)),
    ("NoPodReady", [(0, 2), (4, 0)], 7.9, (OK, ALARM)),
    ("NoPodReady", [(0, 2), (4, 0), (5, 2)], 6, (OK, ALARM, OK)),
    # A pod is evicted between two runs; the run after that sees nothing new.
    ("PodsKilled", [(0, 0), (4, 1)], 7.9, (OK, ALARM)),
    ("PodsKilled", [(0, 0), (4, 1), (8, 0)], 9, (OK, ALARM, OK)),
    # 390 s and more of 420 s.
    ("RunTooLong", [(0, 2_000), (4, 391_000)], 4.05, (OK, ALARM)),
    # SQS counts every five minutes while a message is young, and then no more.
    ("FailureQueued", [(0, 0), *((4 + n / 12, 1) for n in range(72))], 20, (OK, ALARM)),
    ("FailureQueued", [(0, 0), (4, 1), (4.1, 1), (4.2, 0)], 5, (OK, ALARM, OK)),
    ("EventDropped", [(0, 0), (4.1, 1)], 4.15, (OK, ALARM)),
    # A message that the watcher cannot handle waits longer and longer, until it does.
    ("EventsLate", [(0, 0), *((4 + n / 12, n * 300) for n in range(5))], 4.3, (OK, ALARM)),
    ("EventsLate", [(0, 0), (4, 900), (4.1, 1_200), (4.2, 0)], 5, (OK, ALARM, OK)),
    ("DeletionsLate", [(0, 0), *((4 + n / 12, n * 300) for n in range(3))], 4.15, (OK, ALARM)),
    ("DeletionsLate", [(0, 0), (4, 300), (4.1, 420), (4.2, 0)], 5, (OK, ALARM, OK)),
    ("EventFailed", [(0, 0), *((4 + n / 12, 1) for n in range(72))], 20, (OK, ALARM)),
    ("EventFailed", [(0, 0), (4, 2), (4.1, 2), (4.2, 0)], 5, (OK, ALARM, OK)),
    # Rounds do not end; runs come no more.
    ("CatalogueOld", [(n / 12, n * 300) for n in range(100)], 8, (OK, ALARM)),
    ("CatalogueOld", [(n / 12, 1_800) for n in range(24)], 4, (OK, ALARM)),
    # Pulls fail; pulls come no more; pulls fail for half an hour.
    ("CanaryFailed", [(n / 12, int(n < 12)) for n in range(24)], 2, (OK, ALARM)),
    ("CanaryFailed", [(n / 12, 1) for n in range(12)], 1.5, (OK, ALARM)),
    ("CanaryFailed", [(n / 12, int(not 6 <= n < 12)) for n in range(18)], 1.45, (OK, ALARM, OK)),
]
SHOULD_NOT: list[tuple[str, list[tuple[float, float]], float]] = [
    # A run by hand besides the schedule; then no run at all, which is another alarm's affair.
    ("RefreshFailed", [(0, 1), (4, 1), (5, 1), (8, 1)], 24),
    # A run fails and the next one succeeds; runs as late as the window and the time-out let them be.
    ("NoRefresh", [(0, 1), (4, 0), (8, 1)], 12),
    ("NoRefresh", [(0, 1), (4.25, 0), (8.36, 1)], 16),
    ("NoRefresh", [(n * 4, 1) for n in range(10)], 40),
    # One run fails: the next one has another four hours.
    ("TokenRunsOut", [(0, SECONDS[0]), (4, SECONDS[1]), (8, SECONDS[0])], 12),
    ("RolloutStuck", [(n * 4, 0) for n in range(5)], 20),
    ("NoPodReady", [(0, 2), (4, 1), (8, 2)], 12),
    ("PodsKilled", [(n * 4, 0) for n in range(5)], 20),
    # A rollout that takes all the time it may, with a cold start.
    ("RunTooLong", [(0, 2_000), (4, 330_000), (8, 2_000)], 12),
    ("FailureQueued", [(n, 0) for n in range(12)], 12),
    ("EventDropped", [(n, 0) for n in range(12)], 12),
    # A batch that failed once comes again after three minutes.
    ("EventsLate", [(0, 0), (4, 210), (4.1, 20), (8, 0)], 12),
    # A batch that failed once comes again after two minutes.
    ("DeletionsLate", [(0, 0), (4, 200), (4.1, 20), (8, 0)], 12),
    ("EventFailed", [(n, 0) for n in range(12)], 12),
    ("CatalogueOld", [(n / 12, n % 12 * 300) for n in range(60)], 4.9),
    # One pull in an hour fails.
    ("CanaryFailed", [(n / 12, int(n % 12 != 5)) for n in range(24)], 2),
]


@pytest.mark.parametrize(("name", "samples", "hours", "expected"), SHOULD)
def test_an_alarm_is_raised(
    name: str, samples: list[tuple[float, float]], hours: float, expected: tuple[str, ...]
) -> None:
    for seen in raised(name, samples, hours):
        assert tuple(state for state in seen if state != UNKNOWN) == expected


@pytest.mark.parametrize(("name", "samples", "hours"), SHOULD_NOT)
def test_an_alarm_stays_ok(name: str, samples: list[tuple[float, float]], hours: float) -> None:
    for seen in raised(name, samples, hours):
        assert [state for state in seen if state != UNKNOWN] == [OK]


def test_every_alarm_has_a_sequence_that_raises_it_and_one_that_does_not() -> None:
    assert sorted({name for name, *_ in SHOULD}) == sorted({name for name, *_ in SHOULD_NOT}) == NAMES


def counted_by_a_run_that_cannot_ask(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], known_for_seconds: float | None
) -> dict[str, float]:
    """The metrics of the real handler, in an instance that knows the lifetime of a token, or none."""
    known = KnownExpiry(None if known_for_seconds is None else datetime.now(UTC) + timedelta(seconds=known_for_seconds))
    monkeypatch.setattr(handler, "_edges", lambda _: (configurations.settings("public"), None, NoCluster(), known))
    capsys.readouterr()
    with pytest.raises(ClusterError):
        handler.handler({}, FakeContext())
    counted = json.loads(capsys.readouterr().out)
    return {name: value[0] for name, value in counted.items() if isinstance(value, list)}


class NoCluster:
    """An EKS that denies the call."""

    def connect(self) -> None:
        raise ClusterError("EKS refuses eks:DescribeCluster")


def test_an_unreachable_cluster_raises_the_alarm_with_the_last_known_token(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [(4.0, SECONDS[1]), (8.0, SECONDS[2])]
    counted = [(at, counted_by_a_run_that_cannot_ask(monkeypatch, capsys, left)) for at, left in runs]
    samples = [(0.0, float(SECONDS[0])), *((at, values["TokenSecondsRemaining"]) for at, values in counted)]
    for seen in raised("TokenRunsOut", samples, 10):
        assert tuple(state for state in seen if state != UNKNOWN) == (OK, ALARM)


@pytest.mark.parametrize(
    "table", ["", "period_minutes = 330\nflexible_window_minutes = 0\nrollout_timeout_seconds = 780"]
)
def test_without_a_known_token_no_refresh_is_raised_before_the_token_expires(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], table: str
) -> None:
    counted = counted_by_a_run_that_cannot_ask(monkeypatch, capsys, None)
    assert "TokenSecondsRemaining" not in counted
    found = synthesize(configurations.parse(f"{configurations.text('public')}[refresh]\n{table}\n"))["Resources"]
    (no_refresh,) = (r["Properties"] for i, r in found.items() if i.startswith("AlarmsNoRefresh"))
    assert metric(no_refresh).name in counted
    failures = [Sample(at * HOUR, counted[metric(no_refresh).name]) for at in range(4, 12, 4)]
    dead_at = 11 * HOUR + 37 * MINUTE
    for further_back in FURTHER_BACK:
        seen = states(no_refresh, [Sample(0, 1), *failures], until=dead_at, further_back=further_back)
        assert (seen[MINUTE], seen[-1]) == (OK, ALARM)


def test_a_stuck_rollout_with_a_new_token_raises_no_token_alarm(
    capsys: pytest.CaptureFixture[str],
) -> None:
    capsys.readouterr()
    metrics.emit(
        dimensions_of("public"),
        Run(succeeded=False, token_written=True, seconds=0, token_seconds_remaining=12 * HOUR),
        Rollout(started=True, stuck=True, pods_ready=0),
    )
    counted = json.loads(capsys.readouterr().out)
    (stuck,) = counted[metric(alarms()["NoRefresh"]).name]
    for seen in raised("NoRefresh", [(0, 1), (4, stuck), (8, stuck), (12, stuck)], 16):
        assert [state for state in seen if state != UNKNOWN] == [OK]
    assert counted["RolloutsStuck"] == [1.0]


def test_without_fill_the_no_refresh_alarm_would_be_raised_after_the_token_expired() -> None:
    filled = alarms()["NoRefresh"]
    (source,) = (query["MetricStat"] for query in filled["Metrics"] if "MetricStat" in query)
    bare = {**source["Metric"], "Statistic": source["Stat"], "Period": source["Period"]}
    bare |= {key: value for key, value in filled.items() if key != "Metrics"}
    after_a_token = states(bare, [Sample(0, 1)], until=12 * HOUR, further_back=2)[-1]
    assert (after_a_token, states(filled, [Sample(0, 1)], until=12 * HOUR, further_back=2)[-1]) == (OK, ALARM)


@pytest.mark.parametrize(
    ("period", "window", "rollout", "seconds"),
    [(240, 15, 300, (2 * 240 + 15 + 7) * 60), (15, 0, 30, (2 * 15 + 3) * 60), (330, 0, 780, (660 + 15) * 60)],
)
def test_the_limits_of_the_token_alarms_follow_the_schedule_with_window_and_time_out(
    period: int, window: int, rollout: int, seconds: int
) -> None:
    table = f"[refresh]\nperiod_minutes = {period}\nflexible_window_minutes = {window}\n"
    text = configurations.text("public") + f"{table}rollout_timeout_seconds = {rollout}\n"
    found = synthesize(configurations.parse(text))["Resources"]
    (no_refresh,) = (r["Properties"] for i, r in found.items() if i.startswith("AlarmsNoRefresh"))
    assert metric(no_refresh).period_seconds == seconds
    (runs_out,) = (r["Properties"] for i, r in found.items() if i.startswith("AlarmsTokenRunsOut"))
    assert runs_out["Threshold"] == (period + window) * 60
    within_limits(no_refresh)


@pytest.mark.parametrize("name", NAMES)
def test_alarm_periods_are_within_the_limits_of_cloudwatch(name: str) -> None:
    within_limits(every()[name])


def within_limits(alarm: Mapping[str, Any]) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html , `Period`."""
    period = metric(alarm).period_seconds
    assert period % 60 == 0
    assert period * alarm["EvaluationPeriods"] <= (86_400 if period < HOUR else 604_800)


def dimensions_of(name: str) -> Mapping[str, str]:
    """The dimensions of the handler's metrics, for a configuration."""
    of = configurations.settings(name)
    return dimensions(domain=of.domain, cluster=of.cluster.name, namespace=of.cluster.namespace)


def emitted(capsys: pytest.CaptureFixture[str]) -> tuple[str, frozenset[tuple[str, str]], set[str]]:
    """Namespace, dimensions and names of the metrics that the handler emits at the end of a run."""
    capsys.readouterr()
    metrics.emit(
        dimensions_of("public"),
        Run(succeeded=True, token_written=True, seconds=1, token_seconds_remaining=12 * HOUR),
        Rollout(started=False, stuck=False, pods_ready=2, pods_killed=0),
    )
    counted = json.loads(capsys.readouterr().out)
    (definition,) = counted["_aws"]["CloudWatchMetrics"]
    (keys,) = definition["Dimensions"]
    return (
        definition["Namespace"],
        frozenset((key, counted[key]) for key in keys),
        {m["Name"] for m in definition["Metrics"]},
    )


def test_the_alarms_use_the_metrics_that_the_handler_emits(capsys: pytest.CaptureFixture[str]) -> None:
    namespace, own_dimensions, names = emitted(capsys)
    own = [found for found in map(metric, alarms().values()) if not found.namespace.startswith("AWS/")]
    assert {(found.namespace, found.dimensions) for found in own} == {(namespace, own_dimensions)}
    assert {found.name for found in own} <= names


def test_the_canary_alarm_uses_the_metric_that_the_canary_emits(capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    metrics.emit_canary(dimensions_of("several"), Pull(seconds=0.5))
    counted = json.loads(capsys.readouterr().out)
    looked = metric(alarms("several")["CanaryFailed"])
    assert looked.namespace == counted["_aws"]["CloudWatchMetrics"][0]["Namespace"]
    assert {key: counted[key] for key, _ in looked.dimensions} == dict(looked.dimensions)
    assert (looked.name in counted, looked.period_seconds) == (True, 15 * MINUTE)


def test_without_a_canary_there_is_no_canary_alarm() -> None:
    assert "CanaryFailed" not in alarms("public")


def queue_metric(name: str, queue: str) -> tuple[str, str, frozenset[tuple[str, str]]]:
    found = logical_id("public", "AWS::SQS::Queue", queue)
    return "AWS/SQS", name, frozenset({("QueueName", str({"Fn::GetAtt": [found, "QueueName"]}))})


def test_the_metrics_of_aws_are_those_of_this_function_and_of_each_queue() -> None:
    function = logical_id("public", "AWS::Lambda::Function", "Refresher")
    other = [found for found in map(metric, alarms().values()) if found.namespace.startswith("AWS/")]
    assert {(found.namespace, found.name, found.dimensions) for found in other} == {
        ("AWS/Lambda", "Duration", frozenset({("FunctionName", str({"Ref": function}))})),
        ("AWS/Lambda", "AsyncEventsDropped", frozenset({("FunctionName", str({"Ref": function}))})),
        queue_metric("ApproximateNumberOfMessagesVisible", "Failures"),
        queue_metric("ApproximateNumberOfMessagesVisible", "WatcherEventsFailures"),
        queue_metric("ApproximateAgeOfOldestMessage", "WatcherEventsQueue"),
        queue_metric("ApproximateAgeOfOldestMessage", "WatcherDeletionsQueue"),
    }


def test_in_china_which_counts_no_dropped_events_the_alarm_is_on_events_that_did_not_reach_the_queue() -> None:
    text = configurations.text("public").replace("ap-southeast-2", "cn-north-1")
    found = synthesize(configurations.parse(text))["Resources"]
    assert "AsyncEventsDropped" not in json.dumps(found)
    (dropped,) = (r["Properties"] for i, r in found.items() if i.startswith("AlarmsEventDropped"))
    assert dropped["MetricName"] == "DestinationDeliveryFailures"
    ours = resources("public", KIND)
    (elsewhere,) = (dict(r["Properties"]) for i, r in ours.items() if i.startswith("AlarmsEventDropped"))
    texts = dropped.pop("AlarmDescription"), elsewhere.pop("AlarmDescription")
    assert {**dropped, "MetricName": "AsyncEventsDropped"} == elsewhere
    assert ["could not send to the dead-letter queue the event of a run" in text for text in texts] == [True, False]
    assert ["look for the error in the dead-letter queue" in text for text in texts] == [False, True]


@pytest.mark.parametrize("name", NAMES)
def test_each_alarm_description_links_to_a_section_of_the_runbook(name: str) -> None:
    says, runbook = every()[name]["AlarmDescription"].split(" Runbook: ")
    assert len(says) > 40
    assert runbook == f"docs/operations.md#{name.lower()}"
    assert name.lower() in anchors(RUNBOOK), f"docs/operations.md has no section {name}"


def test_with_runbook_url_each_alarm_description_ends_with_a_link_to_an_existing_section() -> None:
    address = "https://git.example.net/ops/ecr-frontdoor/-/blob/main/docs/operations.md"
    text = configurations.text("several") + f'[alarms]\nrunbook_url = "{address}"\n[page]\ncatalogue = true\n'
    found = synthesize(configurations.parse(text))["Resources"].values()
    descriptions = [r["Properties"]["AlarmDescription"] for r in found if r["Type"] == KIND]
    linked = [re.fullmatch(r".+ Runbook: (\S+)#(\S+)", text) for text in descriptions]
    assert {link[1] for link in linked if link} == {address}
    assert sorted(link[2] for link in linked if link) == sorted(name.lower() for name in NAMES)
    assert {link[2] for link in linked if link} <= anchors(RUNBOOK)
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    assert max(map(len, descriptions)) <= 1024


def anchors(markdown: str) -> set[str]:
    """The anchors of headings in GitHub and GitLab: lower case, hyphens for blanks, no punctuation."""
    headings = re.findall(r"^#+ (.+)$", markdown, re.MULTILINE)
    return {re.sub(r"[^a-z0-9_-]", "", heading.lower().replace(" ", "-")) for heading in headings}


def test_the_runbook_has_a_section_for_every_alarm_and_no_other() -> None:
    part = RUNBOOK.split("\n## When an alarm goes off\n")[1].split("\n## ")[0]
    assert sorted(re.findall(r"^### (\w+)$", part, re.MULTILINE)) == NAMES


def test_no_alarm_notifies_without_a_topic_or_mail_address() -> None:
    assert not [name for name, alarm in alarms().items() if "AlarmActions" in alarm]
    assert not resources("public", "AWS::SNS::Topic")


def test_the_given_topic_and_the_mail_topic_are_notified_of_alarm_and_ok() -> None:
    topic = logical_id("guarded", "AWS::SNS::Topic")
    both = ["arn:aws:sns:ap-southeast-2:123456789012:on-call", {"Ref": topic}]
    notifying = [alarm["Properties"] for alarm in resources("guarded", KIND).values()]
    assert len(notifying) == len(alarms("guarded"))
    assert all(alarm["AlarmActions"] == alarm["OKActions"] == both for alarm in notifying)
    assert only("guarded", "AWS::SNS::Subscription") == {
        "Endpoint": "on-call@example.net",
        "Protocol": "email",
        "TopicArn": {"Ref": topic},
    }


def test_only_alarms_of_this_account_publish_to_the_mail_topic_and_only_over_tls() -> None:
    topic = logical_id("guarded", "AWS::SNS::Topic")
    deny, allow = only("guarded", "AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    assert (deny["Effect"], deny["Principal"], deny["Condition"]) == (
        "Deny",
        "*",
        {"Bool": {"aws:SecureTransport": "false"}},
    )
    assert allow == {
        "Sid": "AlarmsPublish",
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": {"Ref": topic},
        "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    }


@pytest.mark.parametrize(("configuration", "name"), [("public", "NoRefresh"), ("several", "CanaryFailed")])
def test_an_alarm_that_needs_a_success_is_created_after_the_first_run(configuration: str, name: str) -> None:
    (alarm,) = (r for i, r in resources(configuration, KIND).items() if i.startswith(f"Alarms{name}"))
    assert any(name.startswith("FirstRun") for name in alarm["DependsOn"])
