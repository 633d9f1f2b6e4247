"""Which clients count as those that got layers of a repository and none of its manifests, and how they are shown."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from cli.usage import layers
from cli.usage.layers import Taken
from cli.usage.report import Period, document, layer_rows, lines
from cli.usage.tally import Tally, merged
from tests.unit.usage.lines import INDEX, NOON, Front

STRANGER = "10.1.0.66"


def tally(*fronts: Front, **options: object) -> Tally:
    """Of one pod or of several, whose logs are read together."""
    made = Tally(**options)  # type: ignore[arg-type]
    made.add_all(merged(front.records for front in fronts))
    return made


def found(made: Tally) -> Mapping[str, Sequence[str]]:
    return {name: [client for client, _ in each] for name, each in made.layer_clients.without_manifest().items()}


def test_a_client_that_takes_layers_alone_is_listed_with_what_it_got() -> None:
    front = Front().tag("GET", "1", "a").blob("c").blob("c", client=STRANGER).blob("d", client=STRANGER, status=206)
    made = tally(front)
    assert made.layer_clients.without_manifest() == {
        "team/app": [(STRANGER, Taken(front.records[-1]["ended_at"], 18_000))]
    }
    assert layer_rows(made) == [("team/app", STRANGER, "18.0 kB", "2026-11-27 12:00")]


def test_the_report_counts_such_clients_and_names_them_by_repository() -> None:
    front = Front().tag("GET", "1", "a").blob("c", client=STRANGER).blob("c", client=STRANGER, repository="base")
    shown: Mapping[str, Any] = document(tally(front), Period(NOON, NOON, NOON), [])
    assert (shown["clients"], shown["clients_without_manifest"]) == (1, 1)
    assert shown["clients_without_manifest_are_exact"] is True
    assert {each["name"]: each["layers_without_manifest"] for each in shown["repositories"]} == {
        "base": [{"client": STRANGER, "last_used_at": "2026-11-27T12:00:00.300+00:00", "sent_bytes": 9000}],
        "team/app": [{"client": STRANGER, "last_used_at": "2026-11-27T12:00:00.200+00:00", "sent_bytes": 9000}],
    }


def test_the_lines_for_people_say_what_such_a_client_is_and_is_not() -> None:
    period = Period(NOON, NOON, NOON)
    (count, *explained) = lines(tally(Front().blob("c")), period, [])[4:]
    assert count == "layers    clients that got layers of a repository and none of its manifests: 1"
    text = " ".join(line.strip() for line in explained)
    for words in (
        "digest from elsewhere",
        "before these logs",
        "another address",
        "lazily",
        "resumes",
        "shares an address",
    ):
        assert words in text
    assert len(lines(tally(Front().tag("GET", "1", "a").blob("c")), period, [])[4:]) == 1


@pytest.mark.parametrize(
    "asked",
    [
        Front().tag("GET", "1", "a", client=STRANGER),
        Front().tag("HEAD", "1", "a", client=STRANGER),
        Front().tag("GET", "1", "a", client=STRANGER, status=304, media_type=""),
        Front().manifest("GET", "a", INDEX, client=STRANGER),
        Front().tag("GET", "1", "", client=STRANGER, digest="", media_type=""),
        Front().tag("GET", "1", "a", client=STRANGER, user_agent="another program"),
        Front(at=NOON + 60).tag("GET", "1", "a", client=STRANGER),
    ],
    ids=["pull", "check", "not modified", "by digest", "converted", "another program", "afterwards"],
)
def test_a_client_that_got_a_manifest_is_not_listed_whichever_pod_answered(asked: Front) -> None:
    assert found(tally(asked, Front(at=NOON + 1).blob("c", client=STRANGER))) == {}


def test_a_pull_that_began_before_the_period_is_known_from_earlier_lines() -> None:
    front = Front(step=10).tag("GET", "1", "a", client=STRANGER).blob("c", client="10.1.0.67")
    front.wait(60).blob("c", client=STRANGER).blob("d", client="10.1.0.67")
    made = tally(front, since=NOON + 60)
    assert found(made) == {"team/app": ["10.1.0.67"]}
    assert (made.earlier, made.repositories["team/app"].pulls) == (2, 0)
    assert made.layer_clients.without_manifest()["team/app"][0][1].sent_bytes == 9000


@pytest.mark.parametrize(
    "asked",
    [
        Front().tag("GET", "1", "a", client=STRANGER, status=404, media_type=""),
        Front().tag("GET", "1", "a", client=STRANGER, repository="base"),
        Front().tag("GET", "1", "a", client="10.1.0.7"),
        Front().ask("GET", "/v2/", client=STRANGER),
        Front().ask("GET", "/v2/team/app/referrers/x", client=STRANGER, repository="team/app", media_type=INDEX),
        Front().blob("c", client=STRANGER, status=304),
        Front().manifest("GET", "a", client=STRANGER, server="ecr"),
    ],
    ids=["refused", "of another repository", "of another client", "ping", "referrers", "of a blob", "between servers"],
)
def test_what_is_no_answer_about_a_manifest_of_the_repository_hides_no_client(asked: Front) -> None:
    assert found(tally(asked, Front(at=NOON + 1).blob("c", client=STRANGER))) == {"team/app": [STRANGER]}


def test_a_layer_that_s3_sends_after_a_redirect_counts() -> None:
    assert found(tally(Front().blob("c", status=307))) == {"team/app": ["10.1.0.7"]}


@pytest.mark.parametrize("changed", [{"method": "HEAD"}, {"status": 404}, {"status": 304}, {"status": 503}])
def test_a_client_that_was_sent_no_layer_is_not_listed(changed: Mapping[str, object]) -> None:
    assert found(tally(Front().blob("c", **changed))) == {}


def test_only_the_repository_that_was_asked_for_is_looked_at() -> None:
    front = Front().blob("c", client=STRANGER).blob("c", repository="base")
    assert found(tally(front, repository="base")) == {"base": ["10.1.0.7"]}


def test_layers_that_were_summed_elsewhere_are_those_of_clients_without_a_manifest() -> None:
    made = tally(Front().tag("GET", "1", "a"), repository="team/app")
    taken = Taken(NOON, 100)
    made.add_layers(("team/app", client, taken) for client in ("10.1.0.7", STRANGER, STRANGER))
    made.add_layers([("base", STRANGER, taken)])
    assert made.layer_clients.without_manifest() == {"team/app": [(STRANGER, Taken(NOON, 200))]}
    other = Tally()
    other.add_layers([("base", STRANGER, taken)])
    assert [each["name"] for each in document(other, Period(NOON, NOON, NOON), [])["repositories"]] == ["base"]


def test_more_clients_than_are_listed_are_a_number_that_is_not_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "_WITHOUT", 3)
    front = Front()
    for number in range(4):
        front.blob("c", client=f"10.1.0.{number}")
    made = tally(front)
    assert found(made) == {"team/app": ["10.1.0.3", "10.1.0.2", "10.1.0.1"]}
    shown = document(made, Period(NOON, NOON, NOON), [])
    assert shown["clients_without_manifest_are_exact"] is False
    assert shown["clients_without_manifest_have_others"] is False
    text = lines(made, Period(NOON, NOON, NOON), [])
    assert any("manifests: about 3" in line for line in text)
    assert not any("got one" in line for line in text)


def test_a_large_cluster_of_clients_that_all_got_their_manifests_has_no_client_without_one() -> None:
    """Of Logs Insights all manifests come before all layers. 1,000 nodes pull 250 repositories."""
    made = Tally()
    clients = [(f"team/app-{name}", f"10.1.{node >> 8}.{node & 255}") for name in range(250) for node in range(1000)]
    for repository, client in clients:
        made.layer_clients.manifest(repository, client)
    made.add_layers((repository, client, Taken(NOON, 100)) for repository, client in clients)
    assert (made.layer_clients.number, made.layer_clients.is_exact) == (0, True)


def test_where_too_many_got_manifests_the_report_says_that_the_list_may_have_some_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(layers, "_WITH_MANIFEST", 3)
    front = Front()
    for number in (0, 1, 2, 0, 1):
        front.tag("GET", "1", "a", client=f"10.1.0.{number}")
    within = tally(front, Front(at=NOON + 60).blob("c", client=STRANGER))
    above = tally(front.tag("GET", "1", "a", client="10.1.0.3"), Front(at=NOON + 60).blob("c", client="10.1.0.3"))
    for made, has_others in ((within, False), (above, True)):
        shown = document(made, Period(NOON, NOON, NOON), [])
        assert shown["clients_without_manifest_have_others"] is has_others
        assert shown["clients_without_manifest_are_exact"] is not has_others
        text = lines(made, Period(NOON, NOON, NOON), [])
        assert any("may be among these that got one" in line for line in text) is has_others
        assert any("--repository" in line for line in text) is has_others


def test_a_client_that_gets_its_manifest_afterwards_is_not_listed_past_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(layers, "_WITH_MANIFEST", 1)
    front = Front().tag("GET", "1", "a").blob("c", client=STRANGER).tag("GET", "1", "a", client=STRANGER)
    assert found(tally(front)) == {}


def test_rows_are_the_latest_of_all_repositories_first() -> None:
    front = Front(step=60).blob("c", repository="b", client=STRANGER).blob("c", repository="a").blob("c")
    assert [row[0] for row in layer_rows(tally(front.blob("c", repository="b")))] == ["b", "team/app", "a", "b"]
