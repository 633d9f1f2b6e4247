"""What records come to: bytes, clients, tags in use, the period, and what cannot be counted."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.usage.names import public_names
from cli.usage.records import CheckedRecord, records
from cli.usage.report import Period, Source, document, lines, rows, size
from cli.usage.tally import Tally, merged, shares
from lambda_fn.settings import Registry, Replica
from tests.unit.usage.lines import IMAGE, INDEX, NOON, Front, digest

S3 = f"/123456789012.dkr.ecr.eu-west-1.amazonaws.com/v2/team/app/blobs/{digest('c')}"


def tally(front: Front, **options: object) -> Tally:
    made = Tally(**options)  # type: ignore[arg-type]
    made.add_all(front.records)
    return made


def test_saved_bytes_are_those_to_clients_without_those_from_ecr_and_s3() -> None:
    front = Front().tag("GET", "1", "a", bytes=500).blob("c", bytes=9000).blob("c", bytes=9000)
    front.upstream("ecr", S3.replace("blobs", "manifests"), 500, status=200)
    front.upstream("layers", S3, 4000).upstream("layers", S3, 5000)
    found = document(tally(front), Period(NOON, NOON, NOON + 9), [])
    assert (found["sent_bytes"], found["fetched_bytes"], found["saved_bytes"]) == (18_500, 9500, 9000)


def test_bytes_from_ecr_and_s3_count_for_the_public_name() -> None:
    registry = Registry(
        account="123456789012", region="eu-west-1", repositories=("base/*",), strip="base/", prefix="team/"
    )
    names = public_names([registry])
    front = Front().blob("c", repository="base/app", bytes=9000).upstream("layers", S3, 4000)
    front.upstream("layers", S3.replace("123456789012", "210987654321"), 5)
    found = tally(front, public_names=names).repositories
    assert {name: use.fetched_bytes for name, use in found.items()} == {"base/app": 4000, "team/app": 5}
    summed = tally(front, public_names=names)
    host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
    summed.replace_bytes([("", "base/app", 7), (host, "team/app", 3)])
    assert (summed.repositories["base/app"].sent_bytes, summed.repositories["base/app"].fetched_bytes) == (7, 3)


def registry(team: str, region: str, replica: str = "", prefix: str = "") -> Registry:
    """Clients call its repositories `<team>/<name>`, and ECR `<prefix><name>`."""
    replicas = (Replica(account="123456789012", region=replica),) if replica else ()
    table = {"strip": f"{team}/", "prefix": prefix, "replicas": replicas}
    return Registry(account="123456789012", region=region, repositories=(f"{team}/*",)).model_copy(update=table)


def test_two_registries_that_are_each_others_replica_have_the_public_names_of_both() -> None:
    west = registry("west", "eu-west-1", "eu-central-1", "west-")
    central = registry("central", "eu-central-1", "eu-west-1", "central-")
    for registries in ([west, central], [central, west]):
        names_of = public_names(registries)
        for host in (west.host, central.host):
            assert names_of(host, "west-app") == ("west/app",)
            assert names_of(host, "central-app") == ("central/app",)
            assert names_of(host, "other") == ("other",)


def test_a_registry_that_is_also_a_replica_has_the_names_of_its_own_routes_first() -> None:
    old, new = registry("old", "eu-west-1", "eu-central-1"), registry("new", "eu-central-1")
    names_of = public_names([old, new])
    assert (names_of(old.host, "app"), names_of(new.host, "app")) == (("old/app",), ("new/app",))


TWO_NAMES = public_names(
    [
        Registry(account="123456789012", region="eu-west-1", repositories=("team/*",)),
        Registry(account="123456789012", region="eu-west-1", repositories=("new/*",), strip="new/", prefix="team/"),
    ]
)


def test_a_repository_with_two_names_counts_under_the_name_that_clients_asked_for() -> None:
    front = Front().tag("GET", "1", "a", repository="new/app", bytes=500).blob("c", repository="new/app", bytes=9000)
    front.upstream("layers", S3, 4000)
    found = tally(front, public_names=TWO_NAMES).repositories
    assert {name: (use.pulls, use.sent_bytes, use.fetched_bytes) for name, use in found.items()} == {
        "new/app": (1, 9500, 4000)
    }


@pytest.mark.parametrize(
    ("repository", "expected"),
    [
        (None, {"new/app": (9000, 3001), "team/app": (3000, 1000)}),
        ("new/app", {"new/app": (9000, 3001)}),
        ("team/app", {"team/app": (3000, 1000)}),
    ],
)
def test_two_names_of_a_repository_share_what_was_fetched_as_clients_use_them(
    repository: str | None, expected: dict[str, tuple[int, int]]
) -> None:
    front = Front().blob("c", repository="new/app", bytes=9000).blob("c", repository="team/app", bytes=3000)
    front.upstream("layers", S3, 4001)
    found = tally(front, public_names=TWO_NAMES, repository=repository)
    host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
    for _ in range(2):
        assert {name: (each.sent_bytes, each.fetched_bytes) for name, each in found.repositories.items()} == expected
        found.replace_bytes([("", "new/app", 9000), (host, "team/app", 4001), ("", "team/app", 3000)])


def test_what_was_fetched_for_no_client_counts_under_the_first_name() -> None:
    found = tally(Front().upstream("layers", S3, 4000), public_names=TWO_NAMES).repositories
    assert {name: use.fetched_bytes for name, use in found.items()} == {"team/app": 4000}


@given(st.integers(0, 10**15), st.dictionaries(st.text(max_size=3), st.integers(0, 10**15), min_size=1, max_size=5))
def test_shares_add_up_to_the_number_and_differ_from_exact_ones_by_less_than_the_number_of_names(
    number: int, weights: dict[str, int]
) -> None:
    given_to = shares(number, weights)
    assert list(given_to) == list(weights)
    assert sum(given_to.values()) == number
    total = sum(weights.values())
    for name, weight in weights.items():
        assert not total or abs(given_to[name] * total - number * weight) < len(weights) * total


def test_what_is_not_content_from_an_upstream_is_not_counted_as_fetched() -> None:
    front = Front().blob("c", bytes=9000)
    front.upstream("layers", f"/-/part{S3}", 5, cache="HIT").upstream("layers", S3, 90, status=503)
    front.upstream("ecr", S3, 0, status=307).upstream("pieces", S3, 77).upstream("tags", S3, 77)
    front.upstream("ecr", "/123456789012.dkr.ecr.eu-west-1.amazonaws.com/v2/", 2, status=200)
    assert tally(front).repositories["team/app"].fetched_bytes == 0


@pytest.mark.parametrize(
    "path",
    [
        "/v2/team/app/manifests/x/../1.4",
        "/v2/team/app/manifests/./1.4",
        "/v2/team/app/%6danifests/1.4",
        "/v2/team/app/blobs/../manifests/1.4",
        "/v2/team/app/blobs/x/../../manifests/1.4/",
        "/./" * 341,
    ],
)
def test_a_pull_counts_however_its_path_is_written(path: str) -> None:
    found = tally(Front().tag("GET", "1.4", "a", path=path).manifest("GET", "b", path=path))
    assert (found.repositories["team/app"].pulls, found.skipped) == (2, {})


def test_what_is_neither_a_manifest_nor_a_blob_is_no_pull() -> None:
    """A list of referrers has the media type of an index."""
    front = Front().ask("GET", "/v2/team/app/tags/list", repository="team/app")
    front.ask("GET", f"/v2/team/app/referrers/{digest('a')}", repository="team/app", media_type=INDEX)
    assert (tally(front).repositories["team/app"].pulls, tally(front).repositories["team/app"].checks) == (0, 0)


@pytest.mark.parametrize("ping", ["/v2/", "/docker-hub/v2/"])
def test_a_ping_also_of_a_mirror_begins_another_pull(ping: str) -> None:
    """Without it, the second image would be a platform of the first one."""
    front = Front().tag("GET", "1", "a", INDEX).manifest("GET", "b").ask("GET", ping).manifest("GET", "c")
    assert tally(front).repositories["team/app"].pulls == 2


def test_errors_are_no_bytes_of_content() -> None:
    front = Front().tag("HEAD", "1", "a").blob("c", status=503).blob("c", status=307)
    assert tally(front).repositories["team/app"].sent_bytes == 0


def test_clients_are_counted_once_for_all_repositories() -> None:
    front = Front().tag("GET", "1", "a").tag("GET", "1", "a", repository="base").tag("HEAD", "1", "a", client="fd00::1")
    found = document(tally(front), Period(NOON, NOON, NOON), [])
    assert found["clients"] == 2
    assert [(each["name"], each["clients"]) for each in found["repositories"]] == [("base", 1), ("team/app", 2)]


def test_a_tag_names_its_last_clients_the_latest_first() -> None:
    front = Front(step=1)
    for number in range(40):
        front.tag("GET", "1.3", "a", client=f"10.1.0.{number}")
    front.tag("HEAD", "1.3", "a", client="10.1.0.30")
    assert rows(tally(front))[0][-1] == "20+"
    (tag,) = document(tally(front), Period(NOON, NOON, NOON), [])["repositories"][0]["tags"]
    assert (tag["tag"], tag["pulls"], tag["checks"], tag["last_client"]) == ("1.3", 40, 1, "10.1.0.30")
    assert tag["last_used_at"] == "2026-11-27T12:00:41.000+00:00"
    assert [each["client"] for each in tag["last_clients"]][:3] == ["10.1.0.30", "10.1.0.39", "10.1.0.38"]
    assert len(tag["last_clients"]) == 20


def test_only_the_time_and_the_repository_that_were_asked_for_are_counted() -> None:
    front = Front(step=10).tag("GET", "1", "a").tag("GET", "2", "b").tag("GET", "2", "b", repository="team/application")
    front.upstream("layers", S3.replace("team/app", "team/application"), 5)
    found = tally(front, since=NOON + 15, repository="team/app")
    assert {name: set(use.tags) for name, use in found.repositories.items()} == {"team/app": {"2"}}


def test_the_rows_for_people_have_one_line_for_each_tag() -> None:
    front = Front().tag("GET", "1.3", "a").wait(60).tag("HEAD", "1.4", "b").manifest("GET", "e")
    assert rows(tally(front)) == [
        ("team/app", "1.4", "0", "1", "2026-11-27 12:01", "10.1.0.7", "1"),
        ("team/app", "1.3", "1", "0", "2026-11-27 12:00", "10.1.0.7", "1"),
    ]


def test_the_lines_for_people_say_which_period_the_logs_cover() -> None:
    found = tally(Front().tag("GET", "1.3", "a").blob("c", bytes=2_500_000))
    sources = [Source("pod-1", NOON, ""), Source("pod-2", NOON + 600, "its log has no earlier lines")]
    assert lines(found, Period(NOON, NOON + 600, NOON + 3600), sources) == [
        "covers    2026-11-27 12:10 to 2026-11-27 13:00 UTC",
        "  pod-2: its log has no earlier lines",
        "pulls     1, 0 of them by digest; 0 checks without a pull",
        "clients   1",
        "bytes     2.5 MB to clients, 0 B from ECR and S3: 2.5 MB saved (100 %)",
        "layers    clients that got layers of a repository and none of its manifests: 0",
    ]
    assert "as asked" in lines(found, Period(NOON, NOON - 5, NOON + 3600), [])[0]
    assert lines(Tally(), Period(NOON, None, None), [])[0] == "covers    nothing: no records"
    old = tally(Front().tag("GET", "1", "a"), since=NOON + 99)
    assert (
        lines(old, Period(NOON, None, None), [])[0] == "covers    nothing: 1 records are older, choose a longer --since"
    )


def test_records_of_other_schemas_and_damaged_ones_are_counted_as_skipped() -> None:
    front = Front().tag("GET", "1", "a").tag("GET", "1", "a", schema=2).tag("GET", "1", "a", bytes="many")
    front.tag("GET", "1", "a", ended_at=None).tag("GET", "1", "a")
    front.records[-1]["repository"] = ["a list"]
    old = {name: value for name, value in front.records[0].items() if name != "schema"}
    found = Tally()
    found.add_all([*front.records, old])
    assert (found.repositories["team/app"].pulls, found.skipped) == (1, {"schema": 2, "incomplete": 3})
    assert any("another schema" in line for line in lines(found, Period(NOON, NOON, NOON), []))


NUMBERS = (5, 10**400, -1, 1.5, float("inf"), float("nan"))
OTHERS = (True, None, "text", "\x1b[31m", "\ud800", ["a"], {"a": 1})


@pytest.mark.parametrize("name", [name for name in CheckedRecord.model_fields if name != "ended_at"])
@pytest.mark.parametrize("value", [*NUMBERS, *OTHERS], ids=repr)
def test_a_record_of_another_program_is_counted_whole_or_is_skipped(name: str, value: object) -> None:
    """A shared log group has lines of other programs, whose fields may have any type."""
    front = Front().tag("GET", "1", "a", bytes=7).tag("GET", "2", "a", bytes=7).tag("GET", "3", "a", bytes=7)
    front.records[1][name] = value
    found = Tally()
    found.add_all(merged([front.records, []]))
    if found.skipped:
        assert found.skipped == {"incomplete": 1}
        assert [row[1] for row in rows(found)] == ["3", "1"]
        assert found.repositories["team/app"].sent_bytes == 14
    else:
        assert isinstance(value, str if front.records[0][name].__class__ is str else int | float)
    document(found, Period(NOON, found.begins_at, found.ends_at), [])
    lines(found, Period(NOON, found.begins_at, found.ends_at), [])


def test_a_record_that_lacks_a_field_is_counted_nowhere() -> None:
    for name in CheckedRecord.model_fields:
        front = Front().tag("GET", "1", "a")
        del front.records[0][name]
        assert (tally(front).repositories, tally(front).skipped) == ({}, {"incomplete": 1})


@pytest.mark.parametrize("instant", [float("nan"), float("inf"), -1, 0, 1e300, "1795780800", None])
def test_a_record_of_another_program_whose_time_is_none_disturbs_no_other(instant: object) -> None:
    front = Front().tag("GET", "1", "a").tag("GET", "2", "a", ended_at=instant).tag("GET", "3", "a")
    found = tally(front)
    assert [row[1] for row in rows(found)] == ["3", "1"]
    assert found.skipped == {"incomplete": 1}


@pytest.mark.parametrize(("number", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2 * 10**17, "200.0 PB")])
def test_sizes_have_decimal_units(number: int, text: str) -> None:
    assert size(number) == text


def test_memory_does_not_grow_with_records() -> None:
    """What is followed are the conversations of a minute and the names."""
    made = Tally()
    front = Front(step=1)
    for number in range(30_000):
        front.tag("HEAD", "1", "a", IMAGE, client=f"10.1.{number % 200}.7")
    made.add_all(records(front.lines()))
    assert made.repositories["team/app"].checks == 30_000
    assert len(made._chains._conversations) <= 62  # noqa: SLF001 - a bound that nothing shows outside


def test_memory_does_not_grow_with_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client of IPv6 has as many addresses as it likes."""
    limits = (
        "distinct.KEPT",
        "tally._SHARED_TEXTS",
        "pulls._CONVERSATIONS",
        "layers._WITH_MANIFEST",
        "layers._WITHOUT",
    )
    for name in limits:
        monkeypatch.setattr(f"cli.usage.{name}", 100)
    made = Tally()

    def grown(first: int) -> int:
        before = tracemalloc.get_traced_memory()[0]
        front = Front(step=1)
        for number in range(first, first + 2000):
            client = {"client": f"2001:db8::{number:x}", "repository": f"team/{number % 3}"}
            front.ping(**client).tag("GET", f"{number % 5}", "a", **client)
            front.blob("c", **client | {"client": f"2001:db8:1::{number:x}"})
        made.add_all(front.records)
        del front
        return tracemalloc.get_traced_memory()[0] - before

    tracemalloc.start()
    try:
        grown(0)
        assert grown(10_000) < 20_000
    finally:
        tracemalloc.stop()


def test_a_number_of_clients_that_is_an_estimate_is_called_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.usage.distinct.KEPT", 100)
    front = Front()
    for number in range(300):
        front.tag("GET", "1", "a", client=f"10.1.{number % 3}.{number}").tag("GET", "1", "a", repository="base")
    made = tally(front)
    found = document(made, Period(NOON, NOON, NOON), [])
    assert (found["clients"], found["clients_are_exact"]) == (pytest.approx(300, rel=0.2), False)
    assert [each["clients_are_exact"] for each in found["repositories"]] == [True, False]
    assert lines(made, Period(NOON, NOON, NOON), [])[2] == f"clients   about {found['clients']}"
